import type { Ready } from '../backlog/enqueue.js';
import { requestCancel } from '../backlog/control.js';
import { tellCancelled } from '../backlog/tell-cancelled.js';
import type { Database, Sql } from '../database.js';
import { AppError, notFound } from '../errors.js';
import type { MessageView } from '../realtime/events.js';
import type { Publisher } from '../realtime/publisher.js';
import type { ReplyLog } from '../realtime/reply-log.js';
import { tellInTime } from '../realtime/tell.js';
import { findMessage, findReadableMessage, type MessageRow, presentMessage } from './message.js';
import { endWaiting } from './reply.js';

type Deps = {
  database: Database;
  publisher: Publisher;
  replyLog: ReplyLog;
  dispatcher: { kick(ready: Ready): void };
};

/**
 * Cancels a reply for whoever may read it, or, with `userId` null, for an admin. One that waits ends here; one that runs is told to stop, by a
 * flag on its job and at once on the control channel, and keeps what it said so far. One that has ended
 * stays as it is.
 *
 * @returns the reply as it is then: `queued` or `running` while its worker still has to stop.
 */
export async function cancelReply(deps: Deps, userId: string | null, messageId: string): Promise<MessageView> {
  const find = async (sql: Sql): Promise<MessageRow> => {
    const reply = await (userId === null ? findMessage(sql, messageId) : findReadableMessage(sql, messageId, userId));
    if (!reply) throw notFound('The reply');
    return reply;
  };
  const reply = await find(deps.database);
  if (reply.role !== 'assistant') throw new AppError('conflict', 'Only a reply of Claude can be cancelled.');
  const { cancelled, saved } = await deps.database.transaction(async (tx) => {
    const job = await requestCancel(tx, { subjectId: messageId, kind: 'reply-to-message' });
    // Again: who asks may have been taken out while this waited for the job.
    await find(tx);
    return { cancelled: job, saved: job?.state === 'cancelled' ? (await endWaiting(tx, [messageId]))[0] : undefined };
  });
  if (cancelled) {
    // Not awaited: the answer must not wait for a Redis that is slow. A worker that does not hear asks within a second.
    void tellCancelled(deps.publisher, cancelled);
    deps.dispatcher.kick(cancelled.ready);
  }
  if (!saved) return presentMessage(await find(deps.database));
  // It is cancelled whether or not its readers can be told now; who asks later reads it from Postgres.
  await tellInTime([announceCancelled(deps, saved)]);
  return presentMessage(saved);
}

/** Tells the readers of a reply that was cancelled while it waited. */
export function announceCancelled({ replyLog }: Pick<Deps, 'replyLog'>, saved: MessageRow): Promise<unknown> {
  const address = { messageId: saved.id, conversationId: saved.conversationId, messageSeq: saved.seq };
  const message = presentMessage(saved);
  return replyLog.append(address, { type: 'end', attempt: saved.attempt, seq: 1, state: 'cancelled', message });
}
