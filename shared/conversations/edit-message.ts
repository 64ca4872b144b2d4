import type { Sql } from '../database.js';
import { AppError, notFound } from '../errors.js';
import type { MessageView } from '../realtime/events.js';
import { findReadableMessage, type MessageRow, messageColumns, presentMessage } from './message.js';

/** @throws AppError `not_found`, or `forbidden` for what somebody else or Claude said. */
async function requireOwn(sql: Sql, id: string, userId: string): Promise<void> {
  const message = await findReadableMessage(sql, id, userId);
  if (!message) throw notFound('The message');
  if (message.authorId !== userId) throw new AppError('forbidden', 'Only its author may change or delete a message.');
  if (message.deletedAt) throw new AppError('conflict', 'The message was deleted.');
}

/**
 * Who is being taken out is waited for, and changes nothing any more; and nobody is while the change is made. Locking
 * the conversation for it would hold up those who post.
 */
const stillReading = `SELECT 1 FROM messages AS own JOIN conversation_members AS member USING (conversation_id)
  WHERE own.id = $1 AND member.user_id = $2 AND own.seq > member.reads_from_seq FOR KEY SHARE OF member`;

async function change(
  sql: Sql,
  where: { id: string; userId: string },
  assignments: string,
  values: unknown[] = [],
): Promise<MessageView> {
  await requireOwn(sql, where.id, where.userId);
  const { rows } = await sql.query<MessageRow>(
    `WITH reader AS MATERIALIZED (${stillReading})
     UPDATE messages SET ${assignments} WHERE id = $1 AND deleted_at IS NULL AND EXISTS (SELECT 1 FROM reader)
     RETURNING ${messageColumns}`,
    [where.id, where.userId, ...values],
  );
  if (rows[0]) return presentMessage(rows[0]);
  // Deleted since it was looked at, or its author was taken out: said as if that had been before.
  await requireOwn(sql, where.id, where.userId);
  throw notFound('The message');
}

/** Replaces the text of one's own message. A reply that it got stays as it is; it can be generated again. */
export function editMessage(sql: Sql, where: { id: string; userId: string }, content: string): Promise<MessageView> {
  return change(sql, where, 'content = $3, edited_at = now()', [content]);
}

/** Takes the text of one's own message away; its place in the conversation stays. */
export function deleteMessage(sql: Sql, where: { id: string; userId: string }): Promise<MessageView> {
  return change(sql, where, "content = '', deleted_at = now()");
}
