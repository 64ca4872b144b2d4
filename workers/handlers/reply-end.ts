import type { TokenUsage } from '../../shared/adapters/language-model/model.js';
import type { JobError, Outcome } from '../../shared/backlog/claim.js';
import { findMessage, type MessageRow, presentMessage } from '../../shared/conversations/message.js';
import { membershipIsStill, recordUsage, type ReplyTask, saveReply } from '../../shared/conversations/reply.js';
import type { Sql } from '../../shared/database.js';
import { JobFailure } from '../../shared/errors.js';
import type { EndState } from '../../shared/realtime/reply-frames.js';
import { readEnding } from '../../shared/realtime/reply-reader.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';
import { untilReachable } from '../until-reachable.js';

type Run = JobRun<'reply-to-message'>;

/** What an attempt has brought so far. */
export type Written = { text: string; model: string; usage: TokenUsage | null };

/**
 * Saves what this attempt wrote, then announces it, in this order: who is told that a reply is done finds it
 * in Postgres.
 */
export async function endReply(
  ctx: WorkerContext,
  job: Run,
  end: { task: ReplyTask; written: Written; metadata: Record<string, unknown> | null; state: 'done' | 'cancelled'; seq: number },
): Promise<Outcome> {
  const { task, written } = end;
  const saved = await inOneTransaction(ctx, async (tx) => {
    await job.guard(tx);
    if (!(await membershipIsStill(tx, task.reply.conversationId, task.membershipVersion))) return 'membership-changed';
    await recordUsageOf(tx, job, task.reply.conversationId, written);
    return saveReply(tx, {
      messageId: task.reply.id,
      attempt: job.attempt,
      state: end.state,
      content: written.text,
      error: null,
      metadata: end.metadata,
      model: written.model,
    });
  });
  if (saved === 'membership-changed') {
    job.logger.info('a member was added while the reply ran; it starts again');
    return { state: 'pending', delayMs: 0, counts: false, error: null };
  }
  if (written.usage) ctx.metrics.tokens(written.model, written.usage);
  // Nothing to save: it was, by a commit whose answer got lost on the way, or the reply is gone.
  if (!saved) return announceEnd(ctx, job);
  await announce(ctx, saved, end.seq);
  return { state: end.state };
}

/** Ends a reply with what its log holds of the attempt before: after a crash, or when the job is given up. */
export async function endFromLog(
  ctx: WorkerContext,
  job: Run,
  end: { state: 'failed' | 'cancelled'; error: JobError | null },
): Promise<Outcome> {
  const { messageId } = job.payload;
  const log = await readEnding(ctx.redis, messageId).catch(unreachable);
  // One that has an end is of an earlier life of the reply, before it was tried again.
  const said = log?.end ? null : log;
  await inOneTransaction(ctx, async (tx) => {
    await job.guard(tx);
    // The number of the attempt that wrote the text: readers who have it need not read it again.
    const attempt = said?.attempt ?? job.attempt;
    await saveReply(tx, { ...end, messageId, attempt, content: said?.text ?? '', metadata: null, model: null });
  });
  await announceEnd(ctx, job);
  return { state: 'cancelled' };
}

const inOneTransaction = <T>(ctx: WorkerContext, work: (tx: Sql) => Promise<T>): Promise<T> =>
  untilReachable(
    () => ctx.database.transaction(work),
    () => ctx.leases.stopping,
  );

/** Announces a reply that is stored already, unless that was done. A reply that is gone has no readers. */
export async function announceEnd(ctx: WorkerContext, job: Run): Promise<Outcome> {
  const message = await findMessage(ctx.database, job.payload.messageId);
  if (!message) return { state: 'done' };
  const log = await readEnding(ctx.redis, message.id).catch(unreachable);
  const isNewest = log !== null && log.attempt === message.attempt;
  if (!isNewest || log.end !== message.state) await announce(ctx, message, isNewest ? log.seq + 1 : 1);
  return { state: message.state === 'cancelled' ? 'cancelled' : 'done' };
}

async function announce(ctx: WorkerContext, row: MessageRow, seq: number): Promise<void> {
  const address = { messageId: row.id, conversationId: row.conversationId, messageSeq: row.seq };
  const message = presentMessage(row);
  const frame = { type: 'end', attempt: row.attempt, seq, state: row.state as EndState, message } as const;
  await ctx.replyLog.append(address, frame).catch(unreachable);
}

/** A later attempt finds out how far this one came. */
const unreachable = (error: unknown): never => {
  throw new JobFailure('unavailable', 'The reply has ended; its readers could not be told yet.', {
    transient: true,
    cause: error,
  });
};

/** Tokens were paid for, whether or not the attempt came to an end; unless it lost, which writes nothing at all. */
export async function noteUsage(ctx: WorkerContext, job: Run, conversationId: string, written: Written): Promise<void> {
  if (!written.usage) return;
  try {
    await ctx.database.transaction(async (tx) => {
      await job.guard(tx);
      await recordUsageOf(tx, job, conversationId, written);
    });
  } catch (error) {
    job.logger.warn({ err: error }, 'the usage of an attempt was not recorded');
  }
}

async function recordUsageOf(
  sql: Sql,
  job: Run,
  conversationId: string,
  { model, usage }: Written,
): Promise<void> {
  if (!usage) return;
  const { userId, attempt, payload } = job;
  await recordUsage(sql, { userId, conversationId, messageId: payload.messageId, attempt, model, ...usage });
}
