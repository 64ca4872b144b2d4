/** The longest text that HTTP takes or gives as `content`, in UTF-16 units. */
export const maxContentLength = 1_000_000;

/** What the log of one document may take in Postgres: a text of people is far below it. */
export const maxLogBytes = 128 * 1024 * 1024;

/**
 * Updates of few bytes are taken beyond that, so many bytes of them: what deletes is one, and a document that takes
 * nothing more could not be made smaller either.
 */
export const smallUpdateBytes = 4 * 1024;
export const maxSmallBytes = 8 * 1024 * 1024;

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
 * Steps that merging the log of a document may take, some seconds of them, with pauses. A log that honest people have made
 * must stay readable, also when no worker has compacted it for hours: of 50,000 edits of twenty people who type at once it
 * is 14,000 steps, of 300,000 240,000.
 */
export const maxMergeSteps = 5_000_000;

/** The same for a compaction, which a worker does in pieces that each take no more than the above. */
export const maxCompactionSteps = 10 * maxMergeSteps;

/** What an update may add to that when it is tried before it is stored. */
export const maxTriedSteps = 1_000_000;

/**
 * And of what its document has left of the steps that it may take, so that no number of updates uses all of it up: the
 * document could not be read any more.
 */
export const triedPart = 1 / 5;

/** An update of more pieces is tried before it is stored, and one after so many in larger ones since the last that was. */
export const tryEveryPieces = 1_000;

/**
 * Places in which an edit over HTTP changes the text, at most; the nearest are taken together. Each cuts the text once more:
 * 30,000 held a web process up for three seconds, and again for each that was made from the same text.
 */
export const maxPlaces = 5_000;

/**
 * An edit that a person makes while others watch is of one piece or two. These are not counted: a trial takes up to a
 * second, and with twenty people who typed here and there one edit in twenty waited for one.
 */
export const fewPieces = 20;
