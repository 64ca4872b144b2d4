import type { Sql } from '../database.js';

/**
 * What a finished job is deleted by. A day of writing makes hundreds of jobs that index documents, which nobody
 * watches: they go after a day. Both conditions are in the order of `jobs_kind_finished_at_idx`: told only that it may
 * stop after some rows, Postgres expects to meet them soon in a table that it reads from the start, and does not.
 */
const pasts = [
  `kind = 'index-document' AND state = 'done' AND finished_at < now() - interval '1 day' ORDER BY finished_at`,
  `state IN ('done', 'cancelled', 'failed') AND finished_at < now() - interval '30 days' ORDER BY kind, finished_at`,
];

/**
 * Deletes up to `batch` jobs that finished so long ago that nobody asks for them; for the job `clean`.
 *
 * @returns how many were deleted; fewer than `batch` means that none is left.
 */
export async function deleteFinishedJobs(sql: Sql, batch: number): Promise<number> {
  let deleted = 0;
  for (const past of pasts) {
    const { rowCount } = await sql.query(`DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE ${past} LIMIT $1)`, [
      batch - deleted,
    ]);
    deleted += rowCount ?? 0;
  }
  return deleted;
}
