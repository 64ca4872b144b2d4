import type { Embedder } from '../adapters/embedder/embedder.js';
import { queryVector } from './ranking/bm25.js';
import type { QueryVectors } from './search.js';

/** Which halves of a search are used. */
export const searchModes = ['hybrid', 'dense', 'sparse'] as const;
export type SearchMode = (typeof searchModes)[number];

/** Turns queries into vectors. */
export type QueryEncoder = (text: string, mode: SearchMode, signal: AbortSignal) => Promise<QueryVectors>;

/** 6 KB each. */
const maxKept = 2_000;

/** @returns an encoder that remembers the vectors of the last queries: people refine filters, and page. */
export function createQueryEncoder(embedder: Embedder): QueryEncoder {
  const kept = new Map<string, Float32Array>();

  async function denseOf(text: string, signal: AbortSignal): Promise<Float32Array | undefined> {
    const known = kept.get(text);
    kept.delete(text);
    const vector = known ?? (await embedder.embed([text], 'query', signal))[0];
    // The built-in embedder finds no word in it: everything would be as near to it as anything else.
    if (!vector?.some((value) => value !== 0)) return undefined;
    kept.set(text, vector);
    if (kept.size > maxKept) kept.delete(kept.keys().next().value ?? '');
    return vector;
  }

  return async (text, mode, signal) => ({
    dense: mode === 'sparse' ? undefined : await denseOf(text, signal),
    sparse: mode === 'dense' ? undefined : queryVector(text),
    fusion: embedder.fusion,
  });
}
