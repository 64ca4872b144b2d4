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

async function change(sql: Sql, assignments: string, values: unknown[]): Promise<MessageView> {
  const { rows } = await sql.query<MessageRow>(
    `UPDATE messages SET ${assignments} WHERE id = $1 AND deleted_at IS NULL RETURNING ${messageColumns}`,
    values,
  );
  if (!rows[0]) throw notFound('The message');
  return presentMessage(rows[0]);
}

/** Replaces the text of one's own message. A reply that it got stays as it is; it can be generated again. */
export async function editMessage(
  sql: Sql,
  where: { id: string; userId: string },
  content: string,
): Promise<MessageView> {
  await requireOwn(sql, where.id, where.userId);
  return change(sql, 'content = $2, edited_at = now()', [where.id, content]);
}

/** Takes the text of one's own message away; its place in the conversation stays. */
export async function deleteMessage(sql: Sql, where: { id: string; userId: string }): Promise<MessageView> {
  await requireOwn(sql, where.id, where.userId);
  return change(sql, "content = '', deleted_at = now()", [where.id]);
}
