import { type Embedder, EmbeddingError } from '../adapters/embedder/embedder.js';
import type { Logger } from '../logger.js';
import { createOutage } from '../outage.js';
import { queryVector } from './ranking/bm25.js';
import type { QueryVectors } from './search.js';

/** Which halves of a search are used. */
export const searchModes = ['hybrid', 'dense', 'sparse'] as const;
export type SearchMode = (typeof searchModes)[number];

/** A query, and which halves of a search it is for: words alone also where both were asked for and one cannot be had. */
export type EncodedQuery = QueryVectors & { mode: SearchMode };

/**
 * Turns queries into vectors. A `hybrid` one waits for its vector for a few seconds at most, and does without while
 * queries cannot be embedded.
 *
 * @throws EmbeddingError when the mode is `dense`; the signal's reason when aborted.
 */
export type QueryEncoder = (text: string, mode: SearchMode, signal: AbortSignal) => Promise<EncodedQuery>;

/** 6 KB each. */
const maxKept = 2_000;

/** In milliseconds. */
const defaultLimits = {
  /** What somebody who searches waits for a vector: most services take a tenth of a second. */
  withinMs: 3_000,
  /** For so long after a failure searches do not wait again. */
  rememberMs: 10_000,
};

/** @returns an encoder that remembers the vectors of the last queries: people refine filters, and page. */
export function createQueryEncoder(
  embedder: Embedder,
  logger: Logger,
  { withinMs, rememberMs } = defaultLimits,
): QueryEncoder {
  const kept = new Map<string, Float32Array>();
  const outage = createOutage(logger, {
    rememberMs,
    begun: 'queries cannot be embedded; hybrid searches go by words alone',
    ended: 'queries are embedded again',
  });

  async function denseOf(text: string, signal: AbortSignal): Promise<Float32Array | undefined> {
    const known = kept.get(text);
    kept.delete(text);
    const vector = known ?? (await embed(text, signal));
    // The built-in embedder finds no word in it: everything would be as near to it as anything else.
    if (!vector?.some((value) => value !== 0)) return undefined;
    kept.set(text, vector);
    if (kept.size > maxKept) kept.delete(kept.keys().next().value ?? '');
    return vector;
  }

  async function embed(text: string, signal: AbortSignal): Promise<Float32Array | undefined> {
    const askedAt = performance.now();
    const [vector] = await embedder.embed([text], 'query', signal);
    outage.over(askedAt);
    return vector;
  }

  async function hybrid(text: string, signal: AbortSignal): Promise<EncodedQuery> {
    const words = { sparse: queryVector(text), fusion: embedder.fusion };
    if (!kept.has(text) && outage.recent()) return { ...words, mode: 'sparse' };
    const limit = AbortSignal.timeout(withinMs);
    try {
      return { ...words, dense: await denseOf(text, AbortSignal.any([signal, limit])), mode: 'hybrid' };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof EmbeddingError) && !limit.aborted) throw error;
      outage.found(error as Error, error instanceof EmbeddingError && !error.transient ? 'error' : 'warn');
      return { ...words, mode: 'sparse' };
    }
  }

  return async (text, mode, signal) => {
    if (mode === 'hybrid') return hybrid(text, signal);
    const { fusion } = embedder;
    if (mode === 'sparse') return { sparse: queryVector(text), fusion, mode };
    return { dense: await denseOf(text, signal), fusion, mode };
  };
}
