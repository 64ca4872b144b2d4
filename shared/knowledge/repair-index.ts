import type { VectorStore } from '../adapters/vector-store/vector-store.js';
import { enqueueAll, type Ready } from '../backlog/enqueue.js';
import type { Database, Sql } from '../database.js';
import { askForDocumentPoints } from './documents/ask.js';
import { chunksPerJob } from './limits.js';
import { placedSql } from './placement.js';
import { dropAbandoned, lockIndex } from './index-locks.js';
import { readIndexState, writeIndexState } from './vector-index.js';

/**
 * Makes the collection if there is none, and asks for all points if it is not the one that the jobs have filled:
 * it was wiped, is new, or another model has taken its place. No vector is computed again.
 *
 * @returns whom the dispatcher should look at; null when the index is as it should be.
 * @throws VectorStoreError `vector_store_mismatch` when it was made for another model or size.
 */
export async function repairIndex(deps: { database: Database; vectors: VectorStore }): Promise<Ready[] | null> {
  const { database, vectors } = deps;
  const isWhole = async (sql: Sql, collection: string): Promise<boolean> => {
    const state = await readIndexState(sql);
    return state.collection === collection && !state.outdated && !(await wasEmptied(sql, vectors));
  };
  await dropAbandoned(deps);
  if ((await vectors.check()).state !== 'missing') {
    const { collection } = await vectors.ensure();
    if (await isWhole(database, collection)) return null;
  }
  return database.transaction(async (tx) => {
    await lockIndex(tx);
    // Made under the lock: of all who miss it at once one makes it and asks for the points, and the others find it made.
    const { collection, created } = await vectors.ensure();
    if (!created && (await isWhole(tx, collection))) return null;
    await writeIndexState(tx, { building: (await readIndexState(tx)).building, collection });
    return askForAllPoints(tx);
  });
}

/** Whether there is not one point although there should be some. */
async function wasEmptied(sql: Sql, vectors: VectorStore): Promise<boolean> {
  if ((await vectors.count()) > 0) return false;
  const { rows } = await sql.query<{ expected: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM knowledge_versions AS version JOIN knowledge_entries AS entry ON entry.id = version.entry_id
       WHERE ${placedSql} AND NOT isempty(version.indexed)) OR EXISTS (
       SELECT 1 FROM document_chunks AS chunk JOIN documents ON documents.id = chunk.document_id
       WHERE chunk.index IS NOT NULL AND chunk.indexed_at IS NOT NULL) AS expected`,
  );
  // Counted once more: points are written before Postgres notes it, and may have been in between.
  return rows[0]?.expected === true && (await vectors.count()) === 0;
}

/** Forgets which chunks have points, and asks for those that are to have one; of entries, for those with a vector. */
async function askForAllPoints(tx: Sql): Promise<Ready[]> {
  // Entries first, as everywhere: whoever works on several versions of one would meet this in the middle.
  await tx.query('SELECT 1 FROM knowledge_entries ORDER BY id FOR NO KEY UPDATE');
  await tx.query(`UPDATE knowledge_versions SET indexed = '{}' WHERE NOT isempty(indexed)`);
  const { rows } = await tx.query<{ versionId: string; userId: string; from: number; to: number }>(
    `SELECT version.id AS "versionId", version.created_by AS "userId", start AS "from", least(start + $1::int, upper(part)) AS "to"
     FROM knowledge_versions AS version JOIN knowledge_entries AS entry ON entry.id = version.entry_id,
       unnest(version.embedded) AS part, generate_series(lower(part), upper(part) - 1, $1::int) AS start
     WHERE ${placedSql}`,
    [chunksPerJob],
  );
  const jobs = rows.map(({ userId, ...payload }) => ({ payload, userId, subjectId: payload.versionId, priority: 1 }));
  const documents = await tx.query<{ documentId: string; userId: string }>(
    `SELECT known.document_id AS "documentId", document.owner_id AS "userId" FROM indexed_documents AS known
     JOIN documents AS document ON document.id = known.document_id WHERE known.chunk_count > 0`,
  );
  const ready = await enqueueAll(tx, 'upsert-vectors', jobs);
  return [...ready, ...(await askForDocumentPoints(tx, documents.rows, 1))];
}
