import type { JobError, Outcome } from '../../shared/backlog/claim.js';
import type { Ready } from '../../shared/backlog/enqueue.js';
import type { Sql } from '../../shared/database.js';
import { holdVersion } from '../../shared/knowledge/hold-version.js';
import { failVersion, type RootJob, tellWaiting, updateRootJob } from '../../shared/knowledge/pipeline.js';
import { rooms } from '../../shared/realtime/events.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';

/**
 * After the commit of a step: starts what it has asked for, and tells those who watch how far the version is.
 *
 * @returns what they were told; null when the version is gone.
 */
export async function announceProgress(
  ctx: WorkerContext,
  versionId: string,
  ready: readonly Ready[],
): Promise<RootJob | null> {
  ready.forEach((lane) => ctx.dispatcher.kick(lane));
  const root = await updateRootJob(ctx.database, versionId);
  if (!root) return null;
  const { jobId, progress, ended } = root;
  const room = rooms.job(jobId);
  if (!ended) await ctx.publisher.emit(room, 'job:progress', { jobId, state: 'running', progress });
  else if (ended.state === 'done') await ctx.publisher.emit(room, 'job:done', { jobId });
  else await ctx.publisher.emit(room, 'job:failed', { jobId, error: ended.error });
  return root;
}

/** Ends the version that a job has failed on. */
export async function giveUpVersion(
  ctx: WorkerContext,
  job: { guard: JobRun['guard'] },
  versionId: string,
  error: JobError,
): Promise<void> {
  const ready = await ctx.database.transaction(async (tx: Sql) => {
    await job.guard(tx);
    return (await holdVersion(tx, versionId)) ? failVersion(tx, versionId, error) : [];
  });
  await announceProgress(ctx, versionId, ready);
}

/** Tells the owner of a version what the stage waits for whose job ends like this, if it waits. */
export async function tellIfWaiting(ctx: WorkerContext, versionId: string, outcome: Outcome): Promise<Outcome> {
  if (outcome.state === 'pending' && outcome.error) await tellWaiting(ctx.database, versionId, outcome.error);
  return outcome;
}
