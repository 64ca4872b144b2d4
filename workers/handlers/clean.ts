import type { JobHandler } from '../handler.js';

/** Rows deleted by one statement: few enough that nobody waits for their locks. */
const batch = 1_000;

/** What has had its time, and how long that is. */
const expired = {
  refresh_tokens: `id IN (SELECT refresh_tokens.id FROM refresh_tokens JOIN sessions ON sessions.id = session_id
    WHERE sessions.expires_at < now() - interval '1 day' LIMIT ${batch})`,
  sessions: `id IN (SELECT id FROM sessions WHERE expires_at < now() - interval '1 day'
    OR revoked_at < now() - interval '30 days' LIMIT ${batch})`,
  idempotency_keys: `(user_id, route, key) IN (SELECT user_id, route, key FROM idempotency_keys
    WHERE created_at < now() - interval '24 hours' LIMIT ${batch})`,
  jobs: `id IN (SELECT id FROM jobs WHERE state IN ('done', 'cancelled', 'failed')
    AND finished_at < now() - interval '30 days' LIMIT ${batch})`,
} as const;

/** Deletes by age, in batches, until nothing is left or the job is told to stop. */
export const clean: JobHandler<'clean'> = {
  async run(ctx, job) {
    for (const [table, condition] of Object.entries(expired)) {
      for (let deleted = batch; deleted === batch; ) {
        job.signal.throwIfAborted();
        const { rowCount } = await ctx.database.query(`DELETE FROM ${table} WHERE ${condition}`);
        deleted = rowCount ?? 0;
      }
    }
    return { state: 'done' };
  },
  async giveUp() {
    // Nobody waits for it, and the next one is scheduled anyway.
  },
};
