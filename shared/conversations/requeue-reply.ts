import type { Sql } from '../database.js';
import { AppError, notFound } from '../errors.js';
import type { MessageView } from '../realtime/events.js';
import { findReadableMessage, type MessageRow, messageColumns, presentMessage } from './message.js';

/**
 * Makes a failed reply wait again, for a job that is tried again.
 *
 * @param readerId who asks, and has to be able to read it; null for an admin.
 * @throws AppError `not_found`; `conflict` when it was superseded meanwhile, or is gone.
 */
export async function requeueReply(tx: Sql, messageId: string, readerId: string | null): Promise<MessageView> {
  if (readerId !== null && !(await findReadableMessage(tx, messageId, readerId))) throw notFound('The reply');
  const { rows } = await tx.query<MessageRow>(
    `UPDATE messages SET state = 'queued', content = '', error = NULL, completed_at = NULL
     WHERE id = $1 AND state = 'failed' AND superseded_by IS NULL RETURNING ${messageColumns}`,
    [messageId],
  );
  if (!rows[0])
    throw new AppError('conflict', 'The reply was generated again, or is gone; there is nothing to try again.');
  return presentMessage(rows[0]);
}
