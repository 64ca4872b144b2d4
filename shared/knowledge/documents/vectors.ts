import type { Embedder } from '../../adapters/embedder/embedder.js';
import type { Database, Sql } from '../../database.js';
import { keepVectors } from '../embeddings.js';
import { chunksPerJob } from '../limits.js';
import { hashOf, indexedTextOf } from './indexed-text.js';
import { holdDocument } from './store-passages.js';

type Passage = { text: string; headingPath: readonly string[] };

/**
 * Makes the vectors that the passages lack, each text once, and keeps them batch by batch.
 *
 * @param guard called first in every transaction that writes.
 * @returns how many were made; null when the document is gone.
 */
export async function embedPassages(
  deps: { database: Database; embedder: Embedder },
  documentId: string,
  passages: readonly Passage[],
  run: { signal: AbortSignal; guard: (tx: Sql) => Promise<void> },
): Promise<number | null> {
  const { database, embedder } = deps;
  const byHash = new Map(passages.map((passage) => [hashOf(passage).toString('hex'), passage]));
  const { rows } = await database.query<{ hash: Buffer }>({
    name: 'texts-without-vector',
    text: `SELECT hash FROM unnest($1::bytea[]) AS hash WHERE NOT EXISTS (
      SELECT 1 FROM embeddings WHERE model = $2 AND content_hash = hash AND octet_length(vector) = $3)`,
    values: [[...byHash.keys()].map((hash) => Buffer.from(hash, 'hex')), embedder.model, embedder.size * 4],
  });
  const missing = rows.flatMap(({ hash }) => {
    const passage = byHash.get(hash.toString('hex'));
    return passage ? [{ hash, text: indexedTextOf(passage) }] : [];
  });
  for (let from = 0; from < missing.length; from += chunksPerJob) {
    const batch = missing.slice(from, from + chunksPerJob);
    const texts = batch.map(({ text }) => text);
    const vectors = await embedder.embed(texts, 'passage', run.signal);
    const made = batch.flatMap(({ hash }, index) => {
      const vector = vectors[index];
      return vector ? [{ hash, vector }] : [];
    });
    const kept = await database.transaction(async (tx) => {
      await run.guard(tx);
      if (!(await holdDocument(tx, documentId))) return false;
      await keepVectors(tx, embedder.model, made);
      return true;
    });
    if (!kept) return null;
  }
  return missing.length;
}
