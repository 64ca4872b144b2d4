import { deleteEndedSessions, deleteUsedRefreshTokens } from '../../shared/accounts/sessions.js';
import { deleteFinishedJobs } from '../../shared/backlog/history.js';
import type { Sql } from '../../shared/database.js';
import { scheduleQuietCompactions } from '../../shared/documents/schedule-compaction.js';
import type { JobHandler } from '../handler.js';
import { cleanKnowledge } from './clean-knowledge.js';

/** Rows deleted by one statement: few enough that nobody waits for their locks. */
const batch = 1_000;

/** A used refresh token is kept so that its reuse is noticed; nobody replays one that is a month old. */
const usedTokenSeconds = 30 * 86_400;

async function deleteIdempotencyKeys(sql: Sql): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM idempotency_keys WHERE (user_id, route, key) IN (
       SELECT user_id, route, key FROM idempotency_keys WHERE created_at < now() - interval '24 hours' LIMIT ${batch})`,
  );
  return rowCount ?? 0;
}

/** What has had its time; each deletes at most a batch and says how many it found. */
const steps: readonly ((sql: Sql) => Promise<number>)[] = [
  (sql) => deleteEndedSessions(sql, batch),
  (sql) => deleteUsedRefreshTokens(sql, usedTokenSeconds, batch),
  deleteIdempotencyKeys,
  (sql) => deleteFinishedJobs(sql, batch),
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
