import { EmbeddingError } from './embedder.js';

/** Shorter texts are not cut: whatever is wrong with them, it is not that they are too long. */
const minLength = 100;

/**
 * Asks for the vectors of some texts, and for fewer at a time where they are too many for one request or take too
 * long. A single text that is too long is cut until it fits: models have windows of 512 tokens and less, which a
 * passage of numbers or of a rare script exceeds. What is cut off is found by its words all the same.
 *
 * @param ask rejects with `embedding_too_large` or `embedding_timeout` where less may do.
 * @throws EmbeddingError
 */
export async function inPortions(
  texts: readonly string[],
  ask: (portion: readonly string[]) => Promise<Float32Array[]>,
): Promise<Float32Array[]> {
  try {
    return await ask(texts);
  } catch (error) {
    const smaller = smallerThan(texts, error instanceof EmbeddingError ? error.code : '');
    if (!smaller) throw error;
    const made: Float32Array[] = [];
    // One after the other: a service that has trouble with a request is not to be sent two.
    for (const portion of smaller) made.push(...(await inPortions(portion, ask)));
    return made;
  }
}

/** @returns portions that together are the texts; null when that would not help. */
function smallerThan(texts: readonly string[], code: string): string[][] | null {
  if (code !== 'embedding_too_large' && code !== 'embedding_timeout') return null;
  const half = Math.ceil(texts.length / 2);
  if (texts.length > 1) return [texts.slice(0, half), texts.slice(half)];
  const [text = ''] = texts;
  if (code === 'embedding_timeout' || text.length <= minLength) return null;
  // Not in the middle of a character of two code units.
  return [[text.slice(0, Math.floor((text.length * 2) / 3)).replace(/[\uD800-\uDBFF]$/, '')]];
}
