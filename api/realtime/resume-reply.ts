import type { Redis } from 'ioredis';
import type { Role } from '../../shared/accounts/principal.js';
import { findReadableMessage, hasEnded, type MessageRow, presentMessage } from '../../shared/conversations/message.js';
import type { Sql } from '../../shared/database.js';
import { notFound } from '../../shared/errors.js';
import type { ClientEventAck, MessageView } from '../../shared/realtime/events.js';
import { readReply } from '../../shared/realtime/reply-reader.js';
import { citedFor } from '../conversations/cited.js';

/** What a reader has of a reply, and what it lacks. */
type Position = { attempt: number; after: number };
type Resumed = Omit<ClientEventAck<'reply:resume'>, 'ok'>;

type Deps = { database: Sql; redis: Redis };
type Reader = { userId: string; role: Role };

/**
 * The text of a reply after a position, from its log while it runs, and the message as stored when it has ended.
 * The right to read it is looked at each time: a resume is what somebody could do who was just taken out.
 *
 * @throws AppError `not_found`.
 */
export async function resumeReply(
  { database, redis }: Deps,
  where: { messageId: string } & Reader,
  position: Position,
): Promise<Resumed> {
  const reply = await findReply(database, where);
  if (hasEnded(reply)) return stored(database, where, reply, position);
  const page = await readReply(redis, where.messageId, position);
  if (page) {
    const { end, ...text } = page;
    if (!end) return { ...text, message: null };
    const now = await findReply(database, where);
    // The log of an attempt that had failed: the reply is tried again, and has not begun yet.
    if (!hasEnded(now)) return { ...nothing, message: null };
    // It has just ended; what the log says of it was meant for those who heard it then.
    return { ...text, message: await viewOf(database, where, now) };
  }
  // No log: nothing was said yet, or the log was lost and the next delta writes it again, or it has just ended.
  const now = await findReply(database, where);
  return hasEnded(now) ? stored(database, where, now, position) : { ...nothing, message: null };
}

/** An empty page of no attempt: what the reader has stays as it is. */
const nothing = { attempt: 0, fromSeq: 1, toSeq: 0, text: '', reset: false, more: false };

/** @throws AppError `not_found` also for a message of a person. */
export async function findReply(sql: Sql, where: { messageId: string; userId: string }): Promise<MessageRow> {
  const message = await findReadableMessage(sql, where.messageId, where.userId);
  if (message?.role !== 'assistant') throw notFound('The reply');
  return message;
}

export const viewOf = (sql: Sql, reader: Reader, reply: MessageRow): Promise<MessageView> =>
  citedFor(sql, reader, presentMessage(reply));

async function stored(sql: Sql, reader: Reader, reply: MessageRow, { attempt, after }: Position): Promise<Resumed> {
  return {
    attempt: reply.attempt,
    fromSeq: after + 1,
    toSeq: after,
    text: '',
    reset: attempt !== reply.attempt,
    more: false,
    message: await viewOf(sql, reader, reply),
  };
}
