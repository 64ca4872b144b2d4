import { JobFailure } from '../../errors.js';

/** Whether a text is looked for or looks for others: some models prepare the two differently. */
export type TextKind = 'passage' | 'query';

/**
 * How the hits of the dense vectors are put together with those of BM25. It belongs to the embedder, because it
 * depends on how good its vectors are:
 * - `distributions`: both scores scaled by their spread among the candidates, then weighed, `dense` from 0 to 1 for
 *   the dense half and the rest for the other: for vectors that know meaning, whatever the scale of their cosines;
 * - `ranks`: reciprocal ranks, the same without looking at the scores;
 * - `scores`: `dense * cosine + sparse * BM25`, for a weak half that should only decide where the other is unsure.
 */
export type Fusion =
  { by: 'distributions'; dense: number } | { by: 'ranks'; k: number } | { by: 'scores'; dense: number; sparse: number };

/** Makes vectors of texts. Vectors of two embedders can be compared only if `model` and `size` are the same. */
export type Embedder = {
  /** Stable name of what the vectors mean: key of stored vectors, and part of the collection's name. */
  readonly model: string;
  /** Numbers in a vector. */
  readonly size: number;
  readonly fusion: Fusion;
  /**
   * Vectors of length 1, one for each text, in the same order. Any number of texts may be given.
   *
   * @throws EmbeddingError; the signal's reason when aborted, unless its time ran out between two tries.
   */
  embed(texts: readonly string[], kind: TextKind, signal: AbortSignal): Promise<Float32Array[]>;
};

/**
 * What went wrong while embedding. Codes: `embedding_rate_limited`, `embedding_unavailable`, `embedding_timeout`,
 * `embedding_failed` (transient); `embedding_refused`, `embedding_too_large`, `embedding_unauthorized`,
 * `embedding_unpaid`, `embedding_unknown_model`, `embedding_malformed`, `embedding_size` (permanent).
 */
export class EmbeddingError extends JobFailure {
  /** Whether it lies in the service, or in how it is set up: whatever the texts are, they are taken once that is well. */
  get ofService(): boolean {
    return codesOfService.has(this.code);
  }
}

const codesOfService = new Set([
  'embedding_unavailable',
  'embedding_unauthorized',
  'embedding_unpaid',
  'embedding_unknown_model',
  'embedding_size',
]);
