import type { Sql } from '../database.js';
import { cancelledPriority } from './claim.js';
import type { JobKind, QueueName } from '../jobs/index.js';
import type { Lane, Ready } from './enqueue.js';

/** A job as its owner sees it. */
export type JobView = {
  id: string;
  kind: string;
  queue: string;
  state: 'pending' | 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  userId: string;
  subjectId: string;
  attempt: number;
  /** How many of the owner's jobs in this queue go first; null unless it is waiting. */
  position: number | null;
  progress: unknown;
  error: { code: string; message: string } | null;
  runAt: Date;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
};

/** False for a state that nothing follows, unless a failed job is tried again. */
export const isUnfinished = (state: string): boolean => ['pending', 'queued', 'running'].includes(state);

/** @returns null when there is no such job; whether the caller may see it is not asked here. */
export async function findJob(sql: Sql, id: string): Promise<JobView | null> {
  const { rows } = await sql.query<JobView>(
    `SELECT id, kind, queue, state, user_id AS "userId", subject_id AS "subjectId", attempt, progress, error,
       run_at AS "runAt", created_at AS "createdAt", started_at AS "startedAt", finished_at AS "finishedAt",
       CASE WHEN state = 'pending' THEN (
         SELECT count(*)::int FROM jobs AS earlier WHERE earlier.queue = jobs.queue AND earlier.user_id = jobs.user_id
           AND earlier.state = 'pending' AND NOT (earlier.blocked AND earlier.order_key IS NULL) AND (earlier.priority, earlier.seq) < (jobs.priority, jobs.seq)) END AS position
     FROM jobs WHERE id = $1`,
    [id],
  );
  return rows[0] ?? null;
}

export type CancelRequested = {
  id: string;
  kind: string;
  subjectId: string;
  state: 'cancelled' | 'pending' | 'queued' | 'running';
  ready: Ready;
};

/**
 * Asks for a job to end. One that was never begun is cancelled at once, and so is one that is tried again and
 * still waits for others with its order key; any other is flagged, and its next attempt, put first in line, has
 * the last word: it may have something to keep.
 *
 * @param about without an `id` whichever job of the kind is about the subject.
 * @returns null when no unfinished job is about this subject.
 */
export async function requestCancel(
  tx: Sql,
  about: { subjectId: string; kind: JobKind; id?: string },
): Promise<CancelRequested | null> {
  const [cancelled = null] = await cancel(tx, 'subject_id = $1 AND kind = $2 AND ($3::uuid IS NULL OR id = $3)', [
    about.subjectId,
    about.kind,
    about.id ?? null,
  ]);
  return cancelled;
}

/**
 * The same for everything of a lane that has not ended. The rows are locked in the order of their ids, as the renewal of
 * leases locks those that run.
 */
export function requestCancelOfLane(tx: Sql, { queue, userId }: Lane): Promise<CancelRequested[]> {
  // By the three indexes of unfinished jobs, each under its own condition.
  const unfinished = `
    SELECT id FROM jobs WHERE queue = $1 AND user_id = $2 AND state = 'pending' AND NOT blocked UNION ALL
    SELECT id FROM jobs WHERE queue = $1 AND user_id = $2 AND state IN ('queued', 'running') UNION ALL
    SELECT id FROM jobs WHERE queue = $1 AND user_id = $2 AND state = 'pending' AND blocked AND order_key IS NOT NULL`;
  return cancel(
    tx,
    `id = ANY(ARRAY(SELECT id FROM jobs WHERE id = ANY(ARRAY(${unfinished})) ORDER BY id FOR NO KEY UPDATE))`,
    [queue, userId],
  );
}

async function cancel(tx: Sql, which: string, values: unknown[]): Promise<CancelRequested[]> {
  const { rows } = await tx.query<Omit<CancelRequested, 'ready'> & Lane & { orderKey: string | null }>(
    `UPDATE jobs SET cancel_requested_at = now(),
       state = CASE WHEN ${notBegun} THEN 'cancelled' ELSE state END,
       finished_at = CASE WHEN ${notBegun} THEN now() END,
       run_at = CASE WHEN state = 'pending' THEN now() ELSE run_at END,
       -- Without an order key it waits for no job before it, but for those that it has started.
       blocked = blocked AND order_key IS NOT NULL,
       priority = CASE WHEN state = 'pending' THEN ${cancelledPriority} ELSE priority END
     WHERE ${which} AND state IN ('pending', 'queued', 'running')
     RETURNING id, kind, subject_id AS "subjectId", state, queue, user_id AS "userId", order_key AS "orderKey"`,
    values,
  );
  return rows.map(({ queue, userId, orderKey, ...job }) => ({
    ...job,
    ready: { lane: { queue, userId }, orderKey: orderKey ?? undefined },
  }));
}

/** A retry blocks a job again; once it was let go, nothing else does. */
const notBegun = `(attempt = 0 OR (state = 'pending' AND blocked AND order_key IS NOT NULL))`;

/**
 * Puts a failed job back into the backlog, with all its tries.
 *
 * @returns null when it has not failed.
 */
export async function retryJob(tx: Sql, id: string): Promise<Ready | null> {
  const { rows } = await tx.query<{ queue: QueueName; userId: string; orderKey: string | null }>(
    `UPDATE jobs SET state = 'pending', blocked = order_key IS NOT NULL, failures = 0, run_at = now(), error = NULL,
       finished_at = NULL, cancel_requested_at = NULL
     WHERE id = $1 AND state = 'failed' RETURNING queue, user_id AS "userId", order_key AS "orderKey"`,
    [id],
  );
  const [row] = rows;
  return row ? { lane: { queue: row.queue, userId: row.userId }, orderKey: row.orderKey ?? undefined } : null;
}
