import type { Embedder } from '../adapters/embedder/embedder.js';
import type { Database, Sql } from '../database.js';
import { findWithoutVector, keepVectors } from './embeddings.js';
import { indexedText } from './indexed-text.js';
import { type ChunkRange, holdVersion } from './pipeline.js';

/**
 * Makes the vectors that the chunks lack, and keeps them. Those of a version that was deleted meanwhile are not
 * kept: nothing would remove them.
 *
 * @param within runs in the transaction that keeps them, also when there was nothing to make.
 * @returns how many were made.
 */
export async function embedChunks(
  deps: { database: Database; embedder: Embedder },
  range: ChunkRange,
  signal: AbortSignal,
  within: { before?: (tx: Sql) => Promise<void>; after?: (tx: Sql) => Promise<void> } = {},
): Promise<number> {
  const { database, embedder } = deps;
  const texts = await findWithoutVector(database, range, embedder);
  const vectors = texts.length > 0 ? await embedder.embed(texts.map(indexedText), 'passage', signal) : [];
  if (texts.length === 0 && !within.before && !within.after) return 0;
  await database.transaction(async (tx) => {
    await within.before?.(tx);
    if (!(await holdVersion(tx, range.versionId))) return;
    const made = texts.flatMap(({ hash }, index) => {
      const vector = vectors[index];
      return vector ? [{ hash, vector }] : [];
    });
    if (made.length > 0) await keepVectors(tx, embedder.model, made);
    await within.after?.(tx);
  });
  return texts.length;
}
