import { deleteEndedSessions, deleteUsedRefreshTokens } from '../../shared/accounts/sessions.js';
import type { Sql } from '../../shared/database.js';
import { scheduleQuietCompactions } from '../../shared/documents/schedule-compaction.js';
import type { JobHandler } from '../handler.js';
import { cleanKnowledge } from './clean-knowledge.js';

/** Rows deleted by one statement: few enough that nobody waits for their locks. */
const batch = 1_000;

/** A used refresh token is kept so that its reuse is noticed; nobody replays one that is a month old. */
const usedTokenSeconds = 30 * 86_400;

async function deleteRows(sql: Sql, statement: string): Promise<number> {
  const { rowCount } = await sql.query(statement);
  return rowCount ?? 0;
}

/**
 * What has had its time; each deletes at most a batch and says how many it found. A day of writing makes hundreds of
 * jobs that index documents, which nobody watches: they go after a day.
 */
const steps: readonly ((sql: Sql) => Promise<number>)[] = [
  (sql) => deleteEndedSessions(sql, batch),
  (sql) => deleteUsedRefreshTokens(sql, usedTokenSeconds, batch),
  (sql) =>
    deleteRows(
      sql,
      `DELETE FROM idempotency_keys WHERE (user_id, route, key) IN (
         SELECT user_id, route, key FROM idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT ${batch})`,
    ),
  (sql) =>
    deleteRows(
      sql,
      `DELETE FROM jobs WHERE id IN (
         SELECT id FROM jobs WHERE state IN ('done', 'cancelled', 'failed')
           AND finished_at < now() - CASE WHEN kind = 'index-document' AND state = 'done' THEN interval '1 day'
             ELSE interval '30 days' END LIMIT ${batch})`,
    ),
];

/** Deletes by age, in batches, until nothing is left or the job is told to stop. */
export const clean: JobHandler<'clean'> = {
  async run(ctx, job) {
    if (job.cancelRequested) return { state: 'cancelled' };
    for (const step of steps) {
      for (let deleted = batch; deleted === batch; deleted = await step(ctx.database)) job.signal.throwIfAborted();
    }
    for (const ready of await scheduleQuietCompactions(ctx.database)) ctx.dispatcher.kick(ready);
    await cleanKnowledge(ctx, job);
    return { state: 'done' };
  },
  async giveUp() {
    // Nobody waits for it, and the next one is scheduled anyway.
  },
};
