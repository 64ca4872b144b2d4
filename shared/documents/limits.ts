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

/**
 * Steps that merging the log of a document may take, some seconds of them. What people write together takes a few dozen,
 * 138,000 edits of one that nobody has compacted 300,000, and 100,000 of twenty people who jump about, not compacted
 * either, 1 to 4 million: a log that honest people have made must stay readable.
 */
export const maxMergeSteps = 5_000_000;

/** What an update may add to that when it is tried before it is stored. */
export const maxTriedSteps = 1_000_000;

/** An update of more pieces is tried before it is stored, and one after so many in larger ones since the last that was. */
export const tryEveryPieces = 1_000;
