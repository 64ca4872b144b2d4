/** How long tokens were under way, in milliseconds. */
export type TokenDelays = {
  /** Of the first token of each reply. */
  first: Float64Array;
  every: Float64Array;
  /** Of each reply from its first token to its last one, as the provider sent them. */
  spans: Float64Array;
};

/**
 * Reads the times from texts whose every token is the time at which the provider sent it; the tokens of one delta
 * were received together.
 */
export function delaysOf(replies: { text: string; at: number }[][]): TokenDelays {
  const tokens = replies.map((deltas) =>
    deltas.flatMap(({ text, at }) => (text.match(/\S+/g) ?? []).map((token) => ({ sentAt: Number(token), at }))),
  );
  const delays = tokens.map((reply) => reply.map(({ sentAt, at }) => at - sentAt));
  return {
    first: Float64Array.from(delays.flatMap((reply) => reply.slice(0, 1))),
    every: Float64Array.from(delays.flat()),
    spans: Float64Array.from(tokens, (reply) => (reply.at(-1)?.sentAt ?? NaN) - (reply[0]?.sentAt ?? NaN)),
  };
}
