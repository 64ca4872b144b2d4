/** Characters of a text that is sent as an entry: JSON of this length stays below what a route takes. */
export const maxContentLength = 500_000;

export const maxTags = 20;
export const maxTagLength = 50;
export const maxTitleLength = 300;
export const maxReasonLength = 2_000;

/** Chunks that one job embeds or indexes, and what is done again at most when a worker dies with it. */
export const chunksPerJob = 128;
