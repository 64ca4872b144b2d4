import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { findJob, isUnfinished, type JobView, requestCancel, retryJob } from '../../shared/backlog/control.js';
import { tellCancelled } from '../../shared/backlog/tell-cancelled.js';
import { announceUpdated } from '../../shared/conversations/announce-updated.js';
import { cancelReply } from '../../shared/conversations/cancel-reply.js';
import { findMessage } from '../../shared/conversations/message.js';
import { requeueReply } from '../../shared/conversations/requeue-reply.js';
import { announceEnded, endWaitingSuggestions, requeueSuggestion } from '../../shared/documents/end-waiting.js';
import { findSuggestionState } from '../../shared/documents/suggestion.js';
import { AppError } from '../../shared/errors.js';
import { isDisabled } from '../../shared/accounts/users.js';
import type { Sql } from '../../shared/database.js';
import { catalogue, isJobKind, type JobContract, type JobKind } from '../../shared/jobs/index.js';
import { cancelIngestion, isIngestion } from '../../shared/knowledge/cancel-ingestion.js';
import { requireRetryable } from '../../shared/knowledge/retry-ingestion.js';
import type { WebContext } from '../context.js';
import { endpoint, idParams } from '../endpoint.js';
import { requireJob } from './require-job.js';

const time = z.iso.datetime();

/** A job as its owner and admins see it. */
const jobSchema = z
  .object({
    id: z.uuid(),
    kind: z.string(),
    state: z
      .enum(['pending', 'queued', 'running', 'done', 'failed', 'cancelled'])
      .describe('pending: accepted, waits for a place; queued: handed to the workers.'),
    subjectId: z.uuid().describe('What it is about; of a reply the message.'),
    attempt: z.int(),
    position: z.int().nullable().describe('How many of your jobs go first; null unless it is pending.'),
    progress: z.unknown(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    runAt: time.describe('Not before this time, when it is pending.'),
    createdAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
  })
  .meta({ id: 'Job' });

function present(job: JobView): z.input<typeof jobSchema> {
  const { queue: _queue, userId: _userId, ...rest } = job;
  return {
    ...rest,
    runAt: job.runAt.toISOString(),
    createdAt: job.createdAt.toISOString(),
    startedAt: job.startedAt?.toISOString() ?? null,
    finishedAt: job.finishedAt?.toISOString() ?? null,
  };
}

/** In milliseconds. */
const endLimitMs = 2_000;
const endPollMs = 50;

/** What a reply or an edit says of itself. */
async function stateOf(ctx: WebContext, { kind, subjectId }: JobView): Promise<string | undefined> {
  if (kind === 'edit-document') return findSuggestionState(ctx.database, subjectId);
  return (await findMessage(ctx.database, subjectId))?.state;
}

/**
 * A reply, or an edit, is saved and announced a moment before its job ends: who reacts to that at once means the job as
 * it is about to be. Waits only when that has ended.
 */
async function untilJobEnded(ctx: WebContext, asked: JobView): Promise<void> {
  const deadline = performance.now() + endLimitMs;
  while (performance.now() < deadline) {
    const [job, state] = await Promise.all([findJob(ctx.database, asked.id), stateOf(ctx, asked)]);
    if (job?.state !== 'running' || state !== 'failed') return;
    await wait(endPollMs);
  }
}

export const getJob = endpoint({
  method: 'get',
  path: '/jobs/:id',
  tag: 'jobs',
  auth: 'user',
  summary: 'Read how a job stands',
  params: idParams,
  response: { status: 200, description: 'The job.', schema: jobSchema },
  errors: ['not_found'],
  async handler({ ctx, principal, params }) {
    return present(await requireJob(ctx.database, principal, params.id));
  },
});

export const postRetry = endpoint({
  method: 'post',
  path: '/jobs/:id/retry',
  tag: 'jobs',
  auth: 'user',
  summary: 'Try a failed job again',
  description: 'With all its tries. Not a reply or an edit whose account was disabled meanwhile: 409.',
  params: idParams,
  response: { status: 202, description: 'The job, waiting again.', schema: jobSchema },
  errors: ['not_found', 'forbidden', 'conflict'],
  async handler({ ctx, principal, params }) {
    const job = await requireJob(ctx.database, principal, params.id);
    const isReply = job.kind === 'reply-to-message';
    const readerId = principal.role === 'admin' ? null : principal.userId;
    if (isReply || job.kind === 'edit-document') await untilJobEnded(ctx, job);
    const done = await ctx.database.transaction(async (tx) => {
      const ready = await retryJob(tx, job.id);
      if (!ready) throw new AppError('conflict', `Only a failed job can be tried again; this one is ${job.state}.`);
      if (job.queue === 'replies') await requireEnabled(tx, job.userId);
      if (isIngestion(job.kind)) await requireRetryable(tx, principal, job.subjectId);
      if (job.kind === 'edit-document') await requeueSuggestion(tx, job.subjectId);
      return { ready, reply: isReply ? await requeueReply(tx, job.subjectId, readerId) : null };
    });
    ctx.dispatcher.kick(done.ready);
    if (done.reply) announceUpdated(ctx, done.reply);
    return present(await requireJob(ctx.database, principal, job.id));
  },
});

/** What somebody has asked of Claude who was disabled would be cancelled as soon as it is claimed. */
async function requireEnabled(sql: Sql, userId: string): Promise<void> {
  if (await isDisabled(sql, userId)) {
    throw new AppError('conflict', 'The account that had asked for this is disabled. Enable it first.');
  }
}

async function cancelJob(ctx: WebContext, job: JobView & { kind: JobKind }): Promise<void> {
  const { cancelled, ready, ended } = await ctx.database.transaction(async (tx) => {
    const whole = isIngestion(job.kind) ? await cancelIngestion(tx, job.subjectId) : null;
    const cancelled = whole?.root ?? (await requestCancel(tx, job));
    const waited = cancelled?.kind === 'edit-document' && cancelled.state === 'cancelled';
    const ended = await endWaitingSuggestions(tx, waited ? [job.subjectId] : []);
    return { cancelled, ready: whole?.ready ?? (cancelled ? [cancelled.ready] : []), ended };
  });
  for (const each of ready) ctx.dispatcher.kick(each);
  // Not awaited: the answer must not wait for a Redis that is slow. A worker that does not hear asks within a second.
  if (cancelled) void tellCancelled(ctx.publisher, cancelled);
  for (const each of ended) void announceEnded(ctx.publisher, each);
}

export const postCancelJob = endpoint({
  method: 'post',
  path: '/jobs/:id/cancel',
  tag: 'jobs',
  auth: 'user',
  summary: 'Cancel a job',
  description:
    'A job that waits ends at once; one that runs is told to stop. One that has ended stays as it is. A step of an ' +
    'ingestion is cancelled together with the whole of it. What follows from a change that is saved, such as its way ' +
    'into the index, cannot be cancelled: 409.',
  params: idParams,
  response: { status: 202, description: 'The job as it is at this moment.', schema: jobSchema },
  errors: ['not_found', 'conflict'],
  async handler({ ctx, principal, params }) {
    const job = await requireJob(ctx.database, principal, params.id);
    if (isJobKind(job.kind) && isUnfinished(job.state) && (catalogue[job.kind] as JobContract).implied) {
      throw new AppError('conflict', 'This work follows from a change that is saved; it cannot be cancelled.');
    }
    if (job.kind === 'reply-to-message') {
      await cancelReply(ctx, principal.role === 'admin' ? null : principal.userId, job.subjectId);
    } else if (isJobKind(job.kind)) {
      await cancelJob(ctx, { ...job, kind: job.kind });
    }
    return present(await requireJob(ctx.database, principal, job.id));
  },
});
