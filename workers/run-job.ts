import {
  type ClaimedJob,
  claimJob,
  finishJob,
  guardClaim,
  type JobError,
  type Outcome,
} from '../shared/backlog/claim.js';
import { JobStopped } from '../shared/backlog/leases.js';
import { ClaimLost, isUnavailable, JobFailure } from '../shared/errors.js';
import { TimedOut, withTimeout } from '../shared/lifecycle.js';
import { catalogue, isJobKind, type JobKind, type JobPayload } from '../shared/jobs/index.js';
import type { Logger } from '../shared/logger.js';
import { rooms } from '../shared/realtime/events.js';
import type { WorkerContext } from './context.js';
import type { JobHandler, JobRun } from './handler.js';
import { untilReachable } from './until-reachable.js';

type Handlers = { [Kind in JobKind]: JobHandler<Kind> };
type AnyHandler = JobHandler<JobKind>;
type Delivery = { id: string; delivery: number };

/** The first retry comes after about `baseMs`, then the wait doubles, up to sixty times that. */
const backoffMs = (baseMs: number, failures: number): number =>
  baseMs * Math.min(2 ** failures, 60) * (0.75 + Math.random() / 2);

/** In milliseconds. The statement has a limit of its own; this one is for the wait for a connection. */
const claimLimitMs = 5_000;

/**
 * Runs one delivery: claim, parse, handle, classify the error, finish the row. Never throws: the row decides
 * what comes next, and BullMQ is told nothing but that the delivery is over.
 *
 * @returns `unclaimed` when Postgres could not be asked: another worker may have more luck with the delivery.
 */
export async function runJob(
  ctx: WorkerContext,
  handlers: Handlers,
  delivery: Delivery,
): Promise<'over' | 'unclaimed'> {
  const logger = ctx.logger.child({ jobId: delivery.id, delivery: delivery.delivery });
  try {
    const claimed = await claimInTime(ctx, delivery);
    if (claimed === 'unreachable') return 'unclaimed';
    // Null: out of date, or given out twice: another delivery has it.
    if (claimed)
      await runClaimed(ctx, handlers, claimed, logger.child({ kind: claimed.kind, attempt: claimed.attempt }));
  } catch (error) {
    // The row stays as it is: its lease runs out, or the sweep finds that no queue holds it.
    if (error instanceof ClaimLost) logger.info('another attempt has taken the job over');
    else logger.error({ err: error }, 'a job was neither finished nor released; the sweep will find it');
  }
  return 'over';
}

async function claimInTime(ctx: WorkerContext, delivery: Delivery): Promise<ClaimedJob | null | 'unreachable'> {
  const claiming = claimJob(ctx.database, delivery);
  try {
    return await withTimeout(claiming, claimLimitMs, 'claiming a job');
  } catch (error) {
    if (error instanceof TimedOut) claiming.then((late) => late && releaseLate(ctx, late)).catch(() => {});
    else if (!isUnavailable(error)) throw error;
    return 'unreachable';
  }
}

/** A claim that succeeded when nobody waited for it any more. */
async function releaseLate(ctx: WorkerContext, claimed: ClaimedJob): Promise<void> {
  const outcome = { state: 'pending', delayMs: 0, counts: false, error: null } as const;
  ctx.dispatcher.kick(await finishJob(ctx.database, claimed, outcome));
}

async function runClaimed(ctx: WorkerContext, handlers: Handlers, claimed: ClaimedJob, logger: Logger): Promise<void> {
  if (!isJobKind(claimed.kind)) {
    ctx.dispatcher.kick(await finishJob(ctx.database, claimed, ofUnknownKind(claimed)));
    return;
  }
  const { kind } = claimed;
  ctx.metrics.jobWaited(kind, claimed.waitedMs / 1000);
  const startedAt = performance.now();
  const lease = ctx.leases.hold(claimed);
  try {
    const outcome = await attempt(ctx, handlers[kind] as AnyHandler, { claimed, kind, signal: lease.signal, logger });
    const ready = await untilReachable(
      () => finishJob(ctx.database, claimed, outcome),
      () => ctx.leases.stopping,
    );
    ctx.metrics.jobRan(kind, wordFor(outcome), (performance.now() - startedAt) / 1000);
    ctx.dispatcher.kick(ready);
    await tellRoom(ctx, claimed.id, outcome);
  } finally {
    lease.release();
  }
}

/** While releases change, a newer worker will come by; five minutes are enough for that. */
const unknownKind = { tries: 30, delayMs: 10_000 };

function ofUnknownKind({ kind, failures }: ClaimedJob): Outcome {
  const error = { code: 'unknown_kind', message: `This release does not know jobs of the kind ${kind}.` };
  if (failures + 1 >= unknownKind.tries) return { state: 'failed', error };
  return { state: 'pending', delayMs: unknownKind.delayMs, counts: true, error };
}

type Attempt = { claimed: ClaimedJob; kind: JobKind; signal: AbortSignal; logger: Logger };

async function attempt(ctx: WorkerContext, handler: AnyHandler, options: Attempt): Promise<Outcome> {
  const { claimed, kind, signal, logger } = options;
  const payload = catalogue[kind].payload.safeParse(claimed.payload);
  // What cannot be read is handed on as it is, to be given up.
  const readable = payload.success ? payload.data : (claimed.payload as JobPayload<JobKind>);
  const job: JobRun = { ...claimed, payload: readable, signal, guard: (tx) => guardClaim(tx, claimed), logger };
  try {
    if (!payload.success) {
      logger.error({ issues: payload.error.issues }, 'the payload of a job cannot be read');
      throw new JobFailure('invalid_payload', 'The job cannot be read by this release.', { transient: false });
    }
    if (claimed.failures >= catalogue[kind].maxFailures) {
      throw new JobFailure('worker_lost', 'The workers that tried this stopped answering again and again.', {
        transient: false,
      });
    }
    return await handler.run(ctx, job);
  } catch (error) {
    return classify(ctx, handler, job, { error, failures: claimed.failures, maxFailures: catalogue[kind].maxFailures });
  }
}

/** What becomes of the row after `error`. @throws ClaimLost, which leaves the row to the attempt that has it. */
async function classify(
  ctx: WorkerContext,
  handler: AnyHandler,
  job: JobRun,
  ended: { error: unknown; failures: number; maxFailures: number },
): Promise<Outcome> {
  const { error, failures } = ended;
  if (error instanceof ClaimLost) throw error;
  if (error instanceof JobStopped) {
    if (error.reason === 'cancelled') return { state: 'cancelled' };
    ctx.metrics.handover(job.logger.bindings().kind as string);
    return { state: 'pending', delayMs: 0, counts: false, error: null };
  }
  const told = tell(error);
  const transient = error instanceof JobFailure ? error.transient : true;
  if (transient && failures + 1 < ended.maxFailures) {
    const delayMs = Math.max(
      backoffMs(ctx.retryBaseMs, failures),
      error instanceof JobFailure ? (error.retryAfterMs ?? 0) : 0,
    );
    job.logger.warn({ err: error, delayMs }, 'an attempt failed; the job is tried again');
    return { state: 'pending', delayMs, counts: true, error: told };
  }
  // An error is for operators to see to; what lies in a file or a question is told to the one it belongs to.
  const ofRequest = error instanceof JobFailure && error.ofRequest;
  if (ofRequest) job.logger.info({ code: told.code, reason: told.message }, 'a job has failed');
  else job.logger.error({ err: error }, 'a job has failed');
  const outcome = (await handler.giveUp(ctx, job, told)) ?? { state: 'failed', error: told };
  return outcome.state === 'failed' ? { ...outcome, ofRequest } : outcome;
}

/** As the metrics count it. */
function wordFor(outcome: Outcome): string {
  if (outcome.state === 'pending') return 'retried';
  return outcome.state === 'failed' && outcome.ofRequest ? 'refused' : outcome.state;
}

/** Messages quote what other services sent: NUL and halves of surrogate pairs, which Postgres takes in no JSON, go. */
const storable = (text: string): string => text.replace(/[\0\p{Cs}]/gu, '\ufffd');

function tell(error: unknown): JobError {
  if (error instanceof JobFailure) return { code: error.code, message: storable(error.message) };
  if (isUnavailable(error)) return { code: 'unavailable', message: 'A service that the job needs is not reachable.' };
  return { code: 'internal', message: 'Something went wrong on our side. The job id helps to find it in the log.' };
}

async function tellRoom(ctx: WorkerContext, jobId: string, outcome: Outcome): Promise<void> {
  const room = rooms.job(jobId);
  if (outcome.state === 'done') await ctx.publisher.emit(room, 'job:done', { jobId });
  else if (outcome.state === 'failed') await ctx.publisher.emit(room, 'job:failed', { jobId, error: outcome.error });
  else
    await ctx.publisher.emit(room, 'job:progress', { jobId, state: outcome.state, progress: pendingProgress(outcome) });
}

const pendingProgress = (outcome: Outcome): unknown => ('progress' in outcome ? outcome.progress : null) ?? null;
