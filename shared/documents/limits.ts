/** The longest text that HTTP takes or gives as `content`, in UTF-16 units. */
export const maxContentLength = 1_000_000;

/** What the log of one document may take in Postgres: a text of people is far below it. */
export const maxLogBytes = 128 * 1024 * 1024;

/** Accounts with access to one document. */
export const maxReaders = 200;

/** A page of the log that is sent to a client: so many bytes or rows, but at least one row. */
export const pageBytes = 512 * 1024;
export const pageRows = 10_000;

/** After so many updates since the last time compaction is asked for. */
export const compactEvery = 500;

/** How long a text rests before it is indexed, and how long editing that goes on puts that off, in milliseconds. */
export const indexAfterMs = 1_500;
export const indexAtLatestMs = 10_000;
