import { isDisabled } from '../../shared/accounts/users.js';
import type { TokenUsage } from '../../shared/adapters/language-model/model.js';
import type { JobError, Outcome } from '../../shared/backlog/claim.js';
import { findMessage, type MessageRow, presentMessage } from '../../shared/conversations/message.js';
import { holdReaders, listReaders } from '../../shared/conversations/readers.js';
import {
  membershipIsStill,
  ownerDisabled,
  readGrounds,
  type ReplyTask,
  saveReply,
} from '../../shared/conversations/reply.js';
import type { Sql } from '../../shared/database.js';
import { JobFailure } from '../../shared/errors.js';
import { storeCitations, verifyCitations, withCitations } from '../../shared/knowledge/citations.js';
import type { PassageRef } from '../../shared/knowledge/hit.js';
import { areStillReadable } from '../../shared/knowledge/retrieve.js';
import type { MessageView } from '../../shared/realtime/message-view.js';
import type { EndState } from '../../shared/realtime/reply-frames.js';
import { readEnding } from '../../shared/realtime/reply-reader.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';
import { untilReachable } from '../until-reachable.js';
import { recordSpent, type Spent } from './note-usage.js';
import { startAgain } from './reply-readers.js';
import type { ReplySources } from './reply-sources.js';

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
  end: {
    task: ReplyTask;
    written: Written;
    /** Null when the attempt ended before it had looked for any. */
    sources: ReplySources | null;
    metadata: Record<string, unknown> | null;
    state: 'done' | 'cancelled';
    seq: number;
  },
): Promise<Outcome> {
  const { task, written, sources } = end;
  const { conversationId } = task.reply;
  const passages = sources?.passages ?? [];
  const citations = verifyCitations(sources?.cited ?? []);
  const saved = await inOneTransaction(ctx, async (tx) => {
    await job.guard(tx);
    const readersAreSame =
      (await membershipIsStill(tx, conversationId, task.membershipVersion)) &&
      (passages.length === 0 || (await areStillReadable(tx, await holdReaders(tx, conversationId), passages)));
    // Tokens were paid for, whether or not the text is saved.
    await recordSpent(tx, job, spentOn(task, written));
    if (!readersAreSame) return 'readers-changed';
    const row = await saveReply(tx, {
      messageId: task.reply.id,
      attempt: job.attempt,
      state: end.state,
      content: written.text,
      error: end.state === 'cancelled' ? await whyCancelled(tx, job) : null,
      metadata: end.metadata,
      model: written.model,
    });
    if (row) await storeCitations(tx, row.id, citations);
    return row;
  });
  if (saved === 'readers-changed') return startAgain(job);
  // Nothing to save: it was, by a commit whose answer got lost on the way, or the reply is gone.
  if (!saved) return announceEnd(ctx, job);
  // Most replies quote nothing: who may read what need not be asked then.
  const message = citations.length === 0 ? presentMessage(saved) : await present(ctx, saved);
  await announce(ctx, saved, end.seq, message);
  return { state: end.state };
}

/** What the tokens of an attempt were paid for. */
export const spentOn = ({ reply }: ReplyTask, { model, usage }: Written): Spent => ({
  conversationId: reply.conversationId,
  messageId: reply.id,
  model,
  usage,
});

/** Null when somebody has asked for it, who knows. */
const whyCancelled = async (sql: Sql, { userId }: Run): Promise<JobError | null> =>
  (await isDisabled(sql, userId)) ? ownerDisabled : null;

/** Ends a reply with what its log holds of the attempt before: after a crash, or when the job is given up. */
export async function endFromLog(
  ctx: WorkerContext,
  job: Run,
  end: { state: 'failed'; error: JobError } | { state: 'cancelled' },
): Promise<Outcome> {
  // Not from the payload: a job whose payload cannot be read has to be ended, too.
  const messageId = job.subjectId;
  const log = await readEnding(ctx.redis, messageId).catch(unreachable);
  // One that has an end is of an earlier life of the reply, before it was tried again.
  const said = log?.end ? null : log;
  await inOneTransaction(ctx, async (tx) => {
    await job.guard(tx);
    const kept = said && (await isStillReadable(tx, messageId, said.attempt)) ? said : null;
    if (said && !kept)
      job.logger.info('what the log holds is dropped: not every member may read what it was made from');
    // The number of the attempt that wrote the text: readers who have it need not read it again.
    const attempt = kept?.attempt ?? job.attempt;
    const error = end.state === 'failed' ? end.error : await whyCancelled(tx, job);
    await saveReply(tx, {
      state: end.state,
      error,
      messageId,
      attempt,
      content: kept?.text ?? '',
      metadata: null,
      model: null,
    });
  });
  return announceEnd(ctx, job);
}

/**
 * Whether every member may still read all that the attempt was given. Where a later one has noted its own passages
 * over those of this one, nobody knows any more.
 */
async function isStillReadable(tx: Sql, messageId: string, attempt: number): Promise<boolean> {
  const grounds = await readGrounds<PassageRef>(tx, messageId);
  if (!grounds || grounds.attempt < attempt) return true;
  if (grounds.attempt > attempt) return false;
  return areStillReadable(tx, await holdReaders(tx, grounds.conversationId), grounds.passages);
}

const inOneTransaction = <T>(ctx: WorkerContext, work: (tx: Sql) => Promise<T>): Promise<T> =>
  untilReachable(
    () => ctx.database.transaction(work),
    () => ctx.leases.stopping,
  );

/** Announces a reply that is stored already, unless that was done. A reply that is gone has no readers. */
export async function announceEnd(ctx: WorkerContext, job: Run): Promise<Outcome> {
  const message = await findMessage(ctx.database, job.subjectId);
  if (!message) return { state: job.cancelRequested ? 'cancelled' : 'done' };
  const log = await readEnding(ctx.redis, message.id).catch(unreachable);
  const isNewest = log !== null && log.attempt === message.attempt;
  if (!isNewest || log.end !== message.state) {
    await announce(ctx, message, isNewest ? log.seq + 1 : 1, await present(ctx, message));
  }
  // The job ends as the reply has: one that failed can be tried again.
  if (message.state === 'failed' && message.error) return { state: 'failed', error: message.error };
  return { state: message.state === 'cancelled' ? 'cancelled' : 'done' };
}

/** The message as everybody may read it who hears it now: who reads it later is asked about then. */
async function present(ctx: WorkerContext, row: MessageRow): Promise<MessageView> {
  const readers = await listReaders(ctx.database, row.conversationId);
  const [message = presentMessage(row)] = await withCitations(ctx.database, readers, [presentMessage(row)]);
  return message;
}

async function announce(ctx: WorkerContext, row: MessageRow, seq: number, message: MessageView): Promise<void> {
  const address = { messageId: row.id, conversationId: row.conversationId, messageSeq: row.seq };
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
