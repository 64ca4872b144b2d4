import { all, is } from '../adapters/vector-store/filter.js';
import type { ObjectStore } from '../adapters/object-store/object-store.js';
import type { VectorStore } from '../adapters/vector-store/vector-store.js';
import type { Database, Sql } from '../database.js';
import { forgetUnusedFiles } from './files.js';
import { forgetChunks } from './forget-chunks.js';
import { writeTargets } from './vector-index.js';

const deleteChunks = `DELETE FROM knowledge_chunks WHERE (version_id, index) IN (
    SELECT version_id, index FROM knowledge_chunks AS chunk
    JOIN knowledge_versions AS version ON version.id = chunk.version_id
    WHERE version.entry_id = $1 LIMIT $2)
  RETURNING content_hash AS hash`;

/**
 * Removes what a deleted entry has left: its points, passages, vectors, files, and at last its row. What else uses
 * a vector or a file keeps it.
 */
export async function removeEntry(
  deps: { database: Database; vectors: VectorStore; objects: ObjectStore },
  entryId: string,
  run: { signal: AbortSignal; guard: (tx: Sql) => Promise<void> },
): Promise<void> {
  const { database, vectors, objects } = deps;
  await wakeWaiting(database, entryId);
  // A job that writes points of it right now reads the row afterwards, finds it deleted, and takes them back.
  const { stores } = await writeTargets(database, vectors);
  for (const store of stores) await store.deleteWhere(all(is('entryId', entryId)));
  await forgetChunks(database, deleteChunks, entryId, run);
  const objectKeys = await database.transaction(async (tx) => {
    await run.guard(tx);
    const { rows } = await tx.query<{ hash: Buffer }>(
      `SELECT DISTINCT file_sha256 AS hash FROM knowledge_versions WHERE entry_id = $1 AND file_sha256 IS NOT NULL`,
      [entryId],
    );
    await tx.query('DELETE FROM knowledge_entries WHERE id = $1 AND deleted_at IS NOT NULL', [entryId]);
    return forgetUnusedFiles(
      tx,
      rows.map(({ hash }) => hash),
    );
  });
  // Should this end here, the cleaning finds the objects that no row knows.
  for (const key of objectKeys) await objects.delete(key);
}

/**
 * A job that reads, and was about to wait for the stages behind it when the entry was deleted, waits for what does not
 * come any more: it ends by running once more. From the deletion on none begins to wait. By itself, not in a
 * transaction: the renewal of leases locks these rows too.
 */
async function wakeWaiting(sql: Sql, entryId: string): Promise<void> {
  await sql.query(
    `UPDATE jobs SET blocked = false FROM knowledge_versions AS version
     WHERE version.entry_id = $1 AND jobs.id = version.job_id AND jobs.blocked AND jobs.state IN ('pending', 'running')`,
    [entryId],
  );
}
