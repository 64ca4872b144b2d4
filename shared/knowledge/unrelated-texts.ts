import { type Embedder, EmbeddingError } from '../adapters/embedder/embedder.js';
import { untilAborted } from '../lifecycle.js';
import type { Logger } from '../logger.js';
import { createOutage } from '../outage.js';
import { otherMatters } from './ranking/other-matters.js';

/**
 * Vectors of texts that have nothing to do with what is asked; null while they cannot be had.
 *
 * @throws the signal's reason when aborted.
 */
export type UnrelatedTexts = (signal: AbortSignal) => Promise<Float32Array[] | null>;

/** In milliseconds: what a reply waits for them, and what they may take for the replies after it. */
const waitMs = 1_500;
const limitMs = 60_000;

/** In milliseconds: how long after a failure nobody tries again. */
const rememberMs = 10_000;

/** Embeds them once, for all who ask: also where that takes a slow model longer than one reply can wait. */
export function createUnrelatedTexts(embedder: Embedder, logger: Logger): UnrelatedTexts {
  let asked: Promise<Float32Array[] | null> | null = null;
  const outage = createOutage(logger, {
    rememberMs,
    begun: 'what the embedding model makes of unrelated texts is not known; replies use what was found by its words',
    ended: 'what the embedding model makes of unrelated texts is known',
  });

  async function ask(): Promise<Float32Array[] | null> {
    const askedAt = performance.now();
    try {
      const vectors = await embedder.embed(otherMatters, 'passage', AbortSignal.timeout(limitMs));
      outage.over(askedAt);
      return vectors;
    } catch (error) {
      outage.found(error as Error, error instanceof EmbeddingError && !error.transient ? 'error' : 'warn');
      asked = null;
      return null;
    }
  }

  return async (signal) => {
    if (!asked && outage.recent()) return null;
    asked ??= ask();
    const limit = AbortSignal.timeout(waitMs);
    try {
      return await untilAborted(asked, AbortSignal.any([signal, limit]));
    } catch {
      signal.throwIfAborted();
      return null;
    }
  };
}
