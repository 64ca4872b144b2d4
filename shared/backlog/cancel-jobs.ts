import type { Sql } from '../database.js';
import type { Lane, Ready } from './enqueue.js';

/** Jobs that are to end: where places are free now, and all of them, to be told of. */
export type CancelledJobs = { ready: Ready[]; jobs: { id: string; state: string }[] };

/**
 * Cancels jobs about something that is being deleted: those that nobody has at this moment end here, since there is
 * nothing left that another attempt could keep.
 *
 * @param which a query for their ids, by an index of unfinished jobs: else the whole history is read.
 */
export async function cancelJobs(tx: Sql, which: string, values: unknown[]): Promise<CancelledJobs> {
  const { rows } = await tx.query<Lane & { id: string; state: string }>(
    `UPDATE jobs SET cancel_requested_at = now(),
       state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
       finished_at = CASE WHEN state = 'running' THEN NULL ELSE now() END
     WHERE id = ANY(ARRAY(${which})) AND state IN ('pending', 'queued', 'running')
     RETURNING id, state, queue, user_id AS "userId"`,
    values,
  );
  return {
    ready: rows.filter(({ state }) => state !== 'running').map(({ queue, userId }) => ({ lane: { queue, userId } })),
    jobs: rows.map(({ id, state }) => ({ id, state })),
  };
}
