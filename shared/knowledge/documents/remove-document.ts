import { all, is } from '../../adapters/vector-store/filter.js';
import type { VectorStore } from '../../adapters/vector-store/vector-store.js';
import type { Database, Sql } from '../../database.js';
import { forgetChunks } from '../forget-chunks.js';
import { writeTargets } from '../vector-index.js';

const deleteChunks = `DELETE FROM document_chunks
  WHERE id IN (SELECT id FROM document_chunks WHERE document_id = $1 LIMIT $2)
  RETURNING content_hash AS hash`;

/** Removes what the index has of a deleted document: points, passages, and vectors that nothing else uses. */
export async function removeDocument(
  { database, vectors }: { database: Database; vectors: VectorStore },
  documentId: string,
  run: { signal: AbortSignal; guard: (tx: Sql) => Promise<void> },
): Promise<void> {
  const there = await database.query('SELECT 1 FROM documents WHERE id = $1', [documentId]);
  if (there.rowCount === 1) return;
  // A job that writes points of it right now reads the rows afterwards, finds none, and takes them back.
  const { stores } = await writeTargets(database, vectors);
  for (const store of stores) await store.deleteWhere(all(is('entryId', documentId)));
  await forgetChunks(database, deleteChunks, documentId, run);
  await database.query('DELETE FROM indexed_documents WHERE document_id = $1', [documentId]);
}
