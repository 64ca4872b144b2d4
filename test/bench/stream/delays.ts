/** How long tokens were under way, in milliseconds. */
export type TokenDelays = {
  /** Of the first token of each reply. */
  first: Float64Array;
  every: Float64Array;
};

/**
 * Reads the times from texts whose every token is the time at which the provider sent it; the tokens of one delta
 * were received together.
 */
export function delaysOf(replies: { text: string; at: number }[][]): TokenDelays {
  const ofReplies = replies.map((deltas) =>
    deltas.flatMap(({ text, at }) => (text.match(/\S+/g) ?? []).map((token) => at - Number(token))),
  );
  return {
    first: Float64Array.from(ofReplies.flatMap((delays) => delays.slice(0, 1))),
    every: Float64Array.from(ofReplies.flat()),
  };
}
