import type { Embedder } from '../../adapters/embedder/embedder.js';
import type { VectorStore } from '../../adapters/vector-store/vector-store.js';
import type { Database, Sql } from '../../database.js';
import { forgetVectors } from '../embeddings.js';
import { writeTargets } from '../vector-index.js';
import { cutDocument } from './cut-document.js';
import { removeDocument } from './remove-document.js';
import { holdDocument, storePassages } from './store-passages.js';
import { embedPassages } from './vectors.js';
import { writePoints } from './write-points.js';

type Deps = { database: Database; vectors: VectorStore; embedder: Embedder };
type Run = { signal: AbortSignal; guard: (tx: Sql) => Promise<void> };

/** A document that is to be indexed, as its own domain tells of it. */
export type IndexTask = {
  documentId: string;
  /** Of its newest update, when the job began. */
  seq: number;
  /** Reads it as it is by now. */
  readText: () => Promise<{ content: string; seq: number }>;
};

/**
 * Cuts and embeds the text of a document, unless that was done. The vector store is not needed for it, and what was
 * found before is found until the vectors of the new passages are there: an embedding service that is away makes nothing
 * disappear.
 *
 * @returns false when the document is gone.
 */
export async function storeDocument(
  deps: Pick<Deps, 'database' | 'embedder'>,
  task: IndexTask,
  run: Run,
): Promise<boolean> {
  if (await isStored(deps.database, task)) return true;
  return storeText(deps, task.documentId, await task.readText(), run);
}

/** Makes the points of a document agree with its stored passages. */
export async function indexStored(deps: Deps, documentId: string, run: Run): Promise<void> {
  if (!(await writePoints(deps, documentId, run))) return removeDocument(deps, documentId, run);
  await removeGone(deps, documentId, run);
}

async function isStored(sql: Sql, { documentId, seq }: IndexTask): Promise<boolean> {
  const { rowCount } = await sql.query('SELECT 1 FROM indexed_documents WHERE document_id = $1 AND seq >= $2', [
    documentId,
    seq,
  ]);
  return rowCount === 1;
}

/** @returns false when the document is gone. */
async function storeText(
  deps: Pick<Deps, 'database' | 'embedder'>,
  documentId: string,
  { content, seq }: { content: string; seq: number },
  run: Run,
): Promise<boolean> {
  const passages = await cutDocument(content);
  run.signal.throwIfAborted();
  if ((await embedPassages(deps, documentId, passages, run)) === null) return false;
  return deps.database.transaction(async (tx) => {
    await run.guard(tx);
    if (!(await holdDocument(tx, documentId))) return false;
    await storePassages(tx, { documentId, seq }, passages);
    return true;
  });
}

/** Removes the points of passages that are not in the text any more, then the passages, and vectors nothing else uses. */
async function removeGone({ database, vectors }: Deps, documentId: string, run: Run): Promise<void> {
  const { rows } = await database.query<{ id: string }>(
    'SELECT id FROM document_chunks WHERE document_id = $1 AND index IS NULL',
    [documentId],
  );
  if (rows.length === 0) return;
  const ids = rows.map(({ id }) => id);
  const { stores } = await writeTargets(database, vectors);
  for (const store of stores) await store.deleteIds(ids);
  await database.transaction(async (tx) => {
    await run.guard(tx);
    const removed = await tx.query<{ hash: Buffer }>(
      'DELETE FROM document_chunks WHERE id = ANY($1::uuid[]) AND index IS NULL RETURNING content_hash AS hash',
      [ids],
    );
    await forgetVectors(
      tx,
      removed.rows.map(({ hash }) => hash),
    );
  });
}
