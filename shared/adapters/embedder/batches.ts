/** TEI refuses more than 32 texts by default, and no service gains much beyond that. */
const maxTexts = 32;
/** The smallest limit among the services (120,000 tokens a request) is far away from this. */
const maxTokens = 40_000;

/** Consecutive texts in groups that one request may carry. */
export function batchesOf(texts: readonly string[]): string[][] {
  const batches: string[][] = [];
  let tokens = 0;
  for (const text of texts) {
    const own = estimateTokens(text);
    const last = batches.at(-1);
    if (last && last.length < maxTexts && tokens + own <= maxTokens) {
      last.push(text);
      tokens += own;
    } else {
      batches.push([text]);
      tokens = own;
    }
  }
  return batches;
}

/** Rather too many than too few: about three bytes a token, in any language. */
function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 3);
}
