import type { Outcome } from '../../shared/backlog/claim.js';
import type { Ready } from '../../shared/backlog/enqueue.js';
import { StorageUnavailable } from '../../shared/adapters/object-store/object-store.js';
import { all, is } from '../../shared/adapters/vector-store/filter.js';
import { JobStopped } from '../../shared/backlog/leases.js';
import { cancelledError } from '../../shared/knowledge/cancel-ingestion.js';
import { holdReading, holdVersion } from '../../shared/knowledge/hold-version.js';
import { askForMissing, completeVersion, failVersion, waitForStages } from '../../shared/knowledge/pipeline.js';
import {
  beginAgain,
  endReading,
  findReadTask,
  findVersionError,
  type ReadTask,
  storeBatch,
} from '../../shared/knowledge/reading.js';
import { writeTargets } from '../../shared/knowledge/vector-index.js';
import type { WorkerContext } from '../context.js';
import type { JobHandler, JobRun } from '../handler.js';
import { askAgainMs } from '../paced-outage.js';
import { type LastBatch, readContent } from './read-content.js';
import { announceProgress, giveUpVersion } from './version-progress.js';

type Run = JobRun<'ingest-version'>;

/**
 * The way of a version into the index, as its owner watches it: reads the content, which starts the stages behind
 * it batch by batch, and then waits, without a place in the queue, until the last of them ends it.
 */
export const ingestVersion: JobHandler<'ingest-version'> = {
  async run(ctx, job) {
    try {
      return await ingest(ctx, job);
    } catch (error) {
      // Whoever cancels it wants the version to end with the job.
      if (error instanceof JobStopped && error.reason === 'cancelled') return cancel(ctx, job);
      if (error instanceof StorageUnavailable) return waitForStorage(ctx, error);
      throw error;
    }
  },
  giveUp: (ctx, job, error) => giveUpVersion(ctx, job, job.payload.versionId, error),
};

/** However long it takes: what was accepted does not fail because the storage is away. */
function waitForStorage({ storageOutage: outage }: WorkerContext, { code, message }: StorageUnavailable): Outcome {
  const delayMs = outage.turn(outage.recent()?.leftMs ?? askAgainMs);
  return { state: 'pending', delayMs, counts: false, error: { code, message } };
}

async function ingest(ctx: WorkerContext, job: Run): Promise<Outcome> {
  const task = await findReadTask(ctx.database, job.payload.versionId);
  // Gone, or another job has been asked to do it again.
  if (!task || task.jobId !== job.id || task.state === 'ready') return { state: 'done' };
  if (job.cancelRequested) return cancel(ctx, job);
  if (task.state === 'failed' && !(await startAgain(ctx, job, task))) return { state: 'done' };
  let last: LastBatch | null = 'stored';
  if (!task.extracted) {
    if (task.again && task.chunkCount === 0) await forgetPoints(ctx, task.versionId);
    last = await readContent(ctx, job, task);
    if (!last) return endAsVersion(ctx, task.versionId);
  }
  const { ready, waits } = await endContent(ctx, job, task, last);
  const root = await announceProgress(ctx, task.versionId, ready);
  if (!waits) return endAsVersion(ctx, task.versionId);
  return { state: 'pending', delayMs: 0, counts: false, error: null, progress: root?.progress };
}

/**
 * Notes that all was read, together with the last passages: a content of one batch, as most are, is one transaction
 * and one report of progress less.
 */
function endContent(
  ctx: WorkerContext,
  job: Run,
  task: ReadTask,
  last: LastBatch,
): Promise<{ ready: Ready[]; waits: boolean }> {
  return ctx.database.transaction(async (tx) => {
    await job.guard(tx);
    const stored: Ready[] = [];
    if (last === 'stored') {
      if (!(await holdReading(tx, task.versionId))) return { ready: [], waits: false };
    } else {
      const ready = await storeBatch(tx, task, last);
      if (!ready) return { ready: [], waits: false };
      stored.push(ready);
    }
    await endReading(tx, task.versionId);
    // Of what is stored in one piece nothing can be in the index yet, and nothing but that was to be asked for.
    if (last !== 'stored' && last.from === 0) {
      await waitForStages(tx, job.id);
      return { ready: stored, waits: true };
    }
    const completed = await completeVersion(tx, task.versionId);
    const missing = await askForMissing(tx, task.versionId, task.userId);
    const current = await findReadTask(tx, task.versionId);
    const unfinished = current?.state === 'ingesting';
    if (unfinished) await waitForStages(tx, job.id);
    return { ready: [...stored, ...completed, ...missing], waits: unfinished };
  });
}

/** A stage may have failed the version while this job was reading it: what people watch must say so too. */
async function endAsVersion(ctx: WorkerContext, versionId: string): Promise<Outcome> {
  const error = await findVersionError(ctx.database, versionId);
  return error ? { state: 'failed', error } : { state: 'done' };
}

async function cancel(ctx: WorkerContext, job: Run): Promise<{ state: 'cancelled' }> {
  const ready = await ctx.database.transaction(async (tx) => {
    await job.guard(tx);
    const { versionId } = job.payload;
    return (await holdVersion(tx, versionId)) ? failVersion(tx, versionId, cancelledError) : [];
  });
  ready.forEach((lane) => ctx.dispatcher.kick(lane));
  return { state: 'cancelled' };
}

function startAgain(ctx: WorkerContext, job: Run, task: ReadTask): Promise<boolean> {
  return ctx.database.transaction(async (tx) => {
    await job.guard(tx);
    return beginAgain(tx, task);
  });
}

/** Points of an earlier reading, which may have found more passages than this one will. */
async function forgetPoints(ctx: WorkerContext, versionId: string): Promise<void> {
  const { stores } = await writeTargets(ctx.database, ctx.vectors);
  for (const store of stores) await store.deleteWhere(all(is('versionId', versionId)));
}
