import type { Sql } from '../database.js';
import { AppError } from '../errors.js';
import type { MessageView } from '../realtime/events.js';
import { type MessageRow, messageColumns, presentMessage } from './message.js';

/**
 * Makes a failed reply wait again, for a job that is tried again.
 *
 * @throws AppError `conflict` when it was superseded meanwhile, or is gone.
 */
export async function requeueReply(tx: Sql, messageId: string): Promise<MessageView> {
  const { rows } = await tx.query<MessageRow>(
    `UPDATE messages SET state = 'queued', content = '', error = NULL, completed_at = NULL
     WHERE id = $1 AND state = 'failed' AND superseded_by IS NULL RETURNING ${messageColumns}`,
    [messageId],
  );
  if (!rows[0])
    throw new AppError('conflict', 'The reply was generated again, or is gone; there is nothing to try again.');
  return presentMessage(rows[0]);
}
