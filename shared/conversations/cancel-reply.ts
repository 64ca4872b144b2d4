import type { Ready } from '../backlog/enqueue.js';
import { requestCancel } from '../backlog/control.js';
import type { Database } from '../database.js';
import { AppError, notFound } from '../errors.js';
import type { MessageView } from '../realtime/events.js';
import type { Publisher } from '../realtime/publisher.js';
import type { ReplyLog } from '../realtime/reply-log.js';
import { tellInTime } from '../realtime/tell.js';
import { findMessage, findReadableMessage, type MessageRow, presentMessage } from './message.js';
import { saveReply } from './reply.js';

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
  const find = (): Promise<MessageRow | null> =>
    userId === null ? findMessage(deps.database, messageId) : findReadableMessage(deps.database, messageId, userId);
  const reply = await find();
  if (!reply) throw notFound('The reply');
  if (reply.role !== 'assistant') throw new AppError('conflict', 'Only a reply of Claude can be cancelled.');
  const { cancelled, saved } = await deps.database.transaction(async (tx) => {
    const job = await requestCancel(tx, { subjectId: messageId, kind: 'reply-to-message' });
    if (job?.state !== 'cancelled') return { cancelled: job, saved: null };
    const end = { state: 'cancelled', content: '', error: null, metadata: null, model: null } as const;
    // The end of the attempt that had failed was told under its number: this one needs another to be heard.
    const attempt = reply.attempt > 0 ? reply.attempt + 1 : 0;
    return { cancelled: job, saved: await saveReply(tx, { ...end, messageId, attempt }) };
  });
  if (cancelled) {
    // Not awaited: the answer must not wait for a Redis that is slow. A worker that does not hear asks within a second.
    if (cancelled.state === 'running') void deps.publisher.control({ type: 'job-cancelled', jobId: cancelled.id });
    deps.dispatcher.kick(cancelled.ready);
  }
  if (!saved) return presentMessage((await find()) ?? reply);
  const message = presentMessage(saved);
  const address = { messageId, conversationId: saved.conversationId, messageSeq: saved.seq };
  const frame = { type: 'end', attempt: saved.attempt, seq: 1, state: 'cancelled', message } as const;
  // It is cancelled whether or not its readers can be told now; who asks later reads it from Postgres.
  await tellInTime([deps.replyLog.append(address, frame)]);
  return message;
}
