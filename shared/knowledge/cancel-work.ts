import type { CancelledJobs } from '../backlog/cancel-jobs.js';
import type { Sql } from '../database.js';

/**
 * Takes back the work on versions of an entry that nobody has begun or that only waits. What is at work finds the
 * entry deleted and ends by itself. A row that somebody has locked is left alone: whoever has it may be waiting for
 * the entry, which is locked here, and will find it deleted.
 *
 * @returns the jobs that have ended by this.
 */
export async function cancelWork(tx: Sql, entryId: string): Promise<CancelledJobs['jobs']> {
  const { rows } = await tx.query<{ id: string; state: string }>(
    `UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id IN (
       SELECT jobs.id FROM jobs JOIN knowledge_versions AS version ON version.id = jobs.subject_id
       WHERE version.entry_id = $1 AND kind IN ('ingest-version', 'embed-chunks', 'upsert-vectors')
         AND jobs.state = 'pending' FOR UPDATE OF jobs SKIP LOCKED)
     RETURNING id, state`,
    [entryId],
  );
  return rows;
}
