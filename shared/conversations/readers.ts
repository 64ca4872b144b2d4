import type { Role } from '../accounts/principal.js';
import type { Sql } from '../database.js';

/** Somebody who reads what is said in a conversation. */
export type ConversationReader = { userId: string; role: Role };

/** Every member, with the role that they have at this moment. */
export async function listReaders(sql: Sql, conversationId: string): Promise<ConversationReader[]> {
  const { rows } = await sql.query<ConversationReader>({
    name: 'list-readers',
    text: `SELECT users.id AS "userId", users.role FROM conversation_members AS member
      JOIN users ON users.id = member.user_id WHERE member.conversation_id = $1 ORDER BY users.id`,
    values: [conversationId],
  });
  return rows;
}

/**
 * The same, for who saves what only they may read: until the transaction ends nobody's role changes. A role that is
 * being changed is waited for, so that it is not the one before that is read. Lock the conversation first, against
 * members that are added.
 */
export async function holdReaders(tx: Sql, conversationId: string): Promise<ConversationReader[]> {
  const { rows } = await tx.query<ConversationReader>({
    name: 'hold-readers',
    text: `SELECT users.id AS "userId", users.role FROM conversation_members AS member
      JOIN users ON users.id = member.user_id WHERE member.conversation_id = $1 ORDER BY users.id FOR SHARE OF users`,
    values: [conversationId],
  });
  return rows;
}
