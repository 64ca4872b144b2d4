import type { ObjectStore } from '../adapters/object-store/object-store.js';
import type { VectorStore } from '../adapters/vector-store/vector-store.js';
import { enqueue, type Ready } from '../backlog/enqueue.js';
import type { Database, Sql } from '../database.js';
import { resumeDocuments } from './documents/ask.js';
import { unusedVectorSql } from './embeddings.js';
import { filePrefix } from './files.js';
import { holdReindexes } from './index-locks.js';
import { indexChangedAt } from './vector-index.js';

/** An upload may take so long before its row is written, in milliseconds. */
const uploadMs = 86_400_000;

/** Deletes objects that belong to no file: of uploads and deletions that were cut off. @returns how many. */
export async function deleteLostObjects(
  { database, objects }: { database: Database; objects: ObjectStore },
  signal: AbortSignal,
): Promise<number> {
  let deleted = 0;
  for await (const { key, changedAt } of objects.list(filePrefix)) {
    signal.throwIfAborted();
    if (Date.now() - changedAt.getTime() < uploadMs) continue;
    const { rowCount } = await database.query('SELECT 1 FROM files WHERE object_key = $1', [key]);
    if (rowCount) continue;
    await objects.delete(key);
    deleted += 1;
  }
  return deleted;
}

/** Processes of another model may go on so long after it was replaced, in milliseconds. */
const replacedMs = 3_600_000;

/** Deletes collections of models that have been replaced. @returns how many. */
export async function deleteReplacedCollections(deps: { database: Database; vectors: VectorStore }): Promise<number> {
  const { database, vectors } = deps;
  const found = await vectors.check();
  // Where this process is the one that is out of date, its collection is not its own to delete.
  if (found.state !== 'ready') return 0;
  return database.transaction(async (tx) => {
    if (!(await holdReindexes(tx))) return 0;
    const changedAt = await indexChangedAt(tx);
    if (!changedAt || Date.now() - changedAt.getTime() < replacedMs) return 0;
    const replaced = (await vectors.collections()).filter((name) => name !== found.collection);
    for (const name of replaced) await vectors.deleteCollection(name);
    return replaced.length;
  });
}

/**
 * Deletes vectors of texts that no passage has, at most those of `batch` texts. They are found by their hashes alone,
 * which three indexes hold: looking at the vectors, too, took 15 s of 500,000, and takes 1.4 s without.
 *
 * @returns how many were deleted; fewer than `batch` means that none is left.
 */
export async function deleteUnusedVectors(sql: Sql, batch: number): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM embeddings WHERE content_hash IN (
       SELECT content_hash FROM embeddings WHERE ${unusedVectorSql} LIMIT $1)`,
    [batch],
  );
  return rowCount ?? 0;
}

/** Work that should be under way and is not, because a job of it was cancelled or given up. */
export async function resumeStuck(database: Database): Promise<Ready[]> {
  return [...(await removeAgain(database)), ...(await wakeVersions(database)), ...(await resumeDocuments(database))];
}

async function removeAgain(database: Database): Promise<Ready[]> {
  const { rows } = await database.query<{ id: string; ownerId: string }>(
    `SELECT id, owner_id AS "ownerId" FROM knowledge_entries AS entry
     WHERE deleted_at < now() - interval '5 minutes' AND NOT EXISTS (
       SELECT 1 FROM jobs WHERE subject_id = entry.id AND kind = 'remove-vectors' AND state IN ('pending', 'queued', 'running'))
     LIMIT 1000`,
  );
  const ready: Ready[] = [];
  for (const { id, ownerId } of rows) {
    const job = { kind: 'remove-vectors', payload: { entryId: id }, userId: ownerId, subjectId: id } as const;
    ready.push((await enqueue(database, job)).ready);
  }
  return ready;
}

/** Versions on their way for which no stage is at work: the waiting job is woken, and asks for what is missing. */
async function wakeVersions(database: Database): Promise<Ready[]> {
  const { rows } = await database.query<{ userId: string }>(
    `UPDATE jobs AS root SET blocked = false, run_at = now()
     FROM knowledge_versions AS version
     WHERE version.state = 'ingesting' AND version.created_at < now() - interval '5 minutes' AND root.id = version.job_id
       AND root.state = 'pending' AND root.blocked AND NOT EXISTS (
         SELECT 1 FROM jobs WHERE subject_id = version.id AND kind IN ('embed-chunks', 'upsert-vectors')
           AND state IN ('pending', 'queued', 'running'))
     RETURNING root.user_id AS "userId"`,
  );
  return rows.map(({ userId }) => ({ lane: { queue: 'ingestion', userId } }));
}
