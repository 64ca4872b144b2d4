import type { Database } from '../database.js';
import type { Lane } from './enqueue.js';
import { planOnce } from './plan-once.js';

/**
 * Lets the first job of each order key go, if none of that key is on its way. Two dispatchers that do so at
 * once may pick different jobs (one saw a retry that the other did not): the unique index stops the second.
 *
 * @returns the lanes of the jobs that may go now.
 */
export async function unblockFirst(database: Database, orderKeys: string[]): Promise<Lane[]> {
  try {
    const [, { rows }] = await database.batch<[object, Lane]>([planOnce, { ...unblockStatement, values: [orderKeys] }]);
    return rows;
  } catch (error) {
    if (!isOrderTaken(error)) throw error;
    if (orderKeys.length === 1) return [];
    // One of them was taken by another dispatcher, which is no reason for the rest to wait.
    const middle = Math.ceil(orderKeys.length / 2);
    const first = await unblockFirst(database, orderKeys.slice(0, middle));
    return [...first, ...(await unblockFirst(database, orderKeys.slice(middle)))];
  }
}

/** Of the index of order keys: another dispatcher let another job of one of them go. */
export const isOrderTaken = (error: unknown): boolean => (error as { code?: string }).code === '23505';

/**
 * A row that somebody has locked is left to them: they unblock it as well, or kick its key when they are done.
 * Dispatchers that waited for each other's rows met in deadlocks, of a second each.
 *
 * With NOT EXISTS, which Postgres turns into a join, it read what is under way under every key there is: beside 2,000
 * replies in as many conversations 1.4 ms for each message of anybody. One that has a limit is asked for each key alone.
 */
export const unblockStatement = {
  name: 'unblock-jobs',
  text: `
WITH first AS (
  SELECT candidate.id FROM (SELECT DISTINCT order_key FROM unnest($1::text[]) AS keys (order_key)) AS wanted
  CROSS JOIN LATERAL (
    SELECT id FROM jobs
    WHERE jobs.order_key = wanted.order_key AND blocked AND state = 'pending' ORDER BY seq LIMIT 1
  ) AS candidate
  WHERE (
    SELECT true FROM jobs AS other
    WHERE other.order_key = wanted.order_key AND NOT other.blocked AND other.state IN ('pending', 'queued', 'running')
    LIMIT 1
  ) IS NULL
), free AS MATERIALIZED (
  SELECT id FROM jobs WHERE id = ANY(ARRAY(SELECT id FROM first)) AND blocked AND state = 'pending'
  FOR UPDATE SKIP LOCKED
)
UPDATE jobs SET blocked = false WHERE id = ANY(ARRAY(SELECT id FROM free))
RETURNING queue, user_id AS "userId"`,
};
