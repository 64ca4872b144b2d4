import { v7 as uuidv7 } from 'uuid';
import { enqueue, type Ready } from '../backlog/enqueue.js';
import type { Sql } from '../database.js';
import { AppError, notFound } from '../errors.js';
import type { MessageView } from '../realtime/events.js';
import {
  findMessage,
  findReadableMessage,
  hasEnded,
  type MessageRow,
  messageColumns,
  presentMessage,
} from './message.js';
import { conversationOrderKey } from './post-message.js';

export type Regenerated = { reply: MessageView; superseded: MessageView; ready: Ready };

/**
 * Asks Claude for another reply to the same message. The one before stays readable, marked with its
 * successor, and is not shown to the model any more.
 *
 * @throws AppError `not_found`; `reply_running` while the one before has not ended; `conflict` when it has a
 * successor already, or when not every member may read the message it answers.
 */
export async function regenerateReply(tx: Sql, userId: string, messageId: string): Promise<Regenerated> {
  const before = await findReadableMessage(tx, messageId, userId);
  if (!before) throw notFound('The reply');
  if (before.role !== 'assistant') throw new AppError('conflict', 'Only a reply of Claude can be generated again.');
  if (!hasEnded(before)) throw replyRunning();
  const id = uuidv7();
  const { rows } = await tx.query<{ lastSeq: number; model: string | null }>(
    `UPDATE conversations SET last_seq = last_seq + 1, last_message_at = now() WHERE id = $1
     RETURNING last_seq AS "lastSeq", model`,
    [before.conversationId],
  );
  // Again, now that nobody else changes the conversation: who asks may have been taken out while this waited for it.
  if (!rows[0] || !(await findReadableMessage(tx, messageId, userId))) throw notFound('The reply');
  const { rowCount } = await tx.query(
    `SELECT 1 FROM messages AS trigger WHERE id = $1 AND deleted_at IS NULL AND NOT EXISTS (
       SELECT 1 FROM conversation_members WHERE conversation_id = trigger.conversation_id AND reads_from_seq >= trigger.seq)`,
    [before.replyTo],
  );
  if (rowCount === 0) {
    throw new AppError(
      'conflict',
      'The message to answer was deleted, or somebody here may not read it. Send it again.',
    );
  }
  const superseded = await tx.query<MessageRow>(
    `UPDATE messages SET superseded_by = $2
     WHERE id = $1 AND superseded_by IS NULL AND state NOT IN ('queued', 'running') RETURNING ${messageColumns}`,
    [before.id, id],
  );
  if (!superseded.rows[0]) {
    const now = await findMessage(tx, before.id);
    // Its job was tried again since it was read.
    if (now && !hasEnded(now)) throw replyRunning();
    throw new AppError('conflict', 'This reply was generated again before; use the newer one.');
  }
  const reply = await tx.query<MessageRow>(
    `INSERT INTO messages (id, conversation_id, seq, role, reply_to, state, model)
     VALUES ($1, $2, $3, 'assistant', $4, 'queued', $5) RETURNING ${messageColumns}`,
    [id, before.conversationId, rows[0].lastSeq, before.replyTo, rows[0].model],
  );
  const { ready } = await enqueue(tx, {
    kind: 'reply-to-message',
    payload: { messageId: id },
    userId,
    subjectId: id,
    orderKey: conversationOrderKey(before.conversationId),
  });
  return { reply: presentMessage(reply.rows[0] as MessageRow), superseded: presentMessage(superseded.rows[0]), ready };
}

const replyRunning = (): AppError =>
  new AppError('reply_running', 'The reply has not ended yet. Cancel it first, or wait.');
