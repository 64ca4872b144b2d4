import { batchesOf } from '../adapters/embedder/batches.js';
import type { Embedder } from '../adapters/embedder/embedder.js';
import type { Database, Sql } from '../database.js';
import { findWithoutVector, keepVectors } from './embeddings.js';
import { holdVersion } from './hold-version.js';
import { indexedText } from './indexed-text.js';
import type { ChunkRange } from './pipeline.js';

/**
 * Makes the vectors that the chunks lack, and keeps them: also those that were made before a request failed, so that
 * each try gets further and none is paid for twice. Those of a version that was deleted meanwhile are not kept:
 * nothing would remove them.
 *
 * @param within `before` runs in the transaction that keeps them; `after` too, once none is lacking.
 * @returns how many were made.
 * @throws EmbeddingError
 */
export async function embedChunks(
  deps: { database: Database; embedder: Embedder },
  range: ChunkRange,
  signal: AbortSignal,
  within: { before?: (tx: Sql) => Promise<void>; after?: (tx: Sql) => Promise<void> } = {},
): Promise<number> {
  const { database, embedder } = deps;
  const texts = await findWithoutVector(database, range, embedder);
  if (texts.length === 0 && !within.before && !within.after) return 0;
  const { made, failed } = await makeVectors(embedder, texts, indexedText, signal);
  signal.throwIfAborted();
  if (failed && made.length === 0) throw failed.reason;
  await database.transaction(async (tx) => {
    await within.before?.(tx);
    if (!(await holdVersion(tx, range.versionId))) return;
    await keepVectors(tx, embedder.model, made);
    if (!failed) await within.after?.(tx);
  });
  if (failed) throw failed.reason;
  return texts.length;
}

/** A text that has no vector yet. */
export type Lacking = { hash: Buffer; text: string; headingPath: string[] };
type Made = { made: { hash: Buffer; vector: Float32Array }[]; failed: PromiseRejectedResult | undefined };

/** As many at a time as one request carries: what one of them fails on says nothing of the others. */
export async function makeVectors(
  embedder: Embedder,
  texts: readonly Lacking[],
  textOf: (text: Lacking) => string,
  signal: AbortSignal,
): Promise<Made> {
  const batches = batchesOf(texts.map(textOf));
  const results = await Promise.allSettled(batches.map((batch) => embedder.embed(batch, 'passage', signal)));
  let at = 0;
  const made = results.flatMap((result, index) => {
    const hashes = texts.slice(at, (at += batches[index]?.length ?? 0)).map(({ hash }) => hash);
    return result.status === 'fulfilled' ? pairs(hashes, result.value) : [];
  });
  return { made, failed: results.find((result) => result.status === 'rejected') };
}

function pairs(hashes: readonly Buffer[], vectors: readonly Float32Array[]): Made['made'] {
  return hashes.flatMap((hash, index) => {
    const vector = vectors[index];
    return vector ? [{ hash, vector }] : [];
  });
}
