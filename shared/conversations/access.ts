import type { Sql } from '../database.js';
import { notFound } from '../errors.js';

/** What an account may see of a conversation. */
export type Membership = {
  conversationId: string;
  userId: string;
  /** Messages with a seq above this one are readable. */
  readsFromSeq: number;
};

/** @returns null when the account is not a member, or there is no such conversation. */
async function findMembership(sql: Sql, conversationId: string, userId: string): Promise<Membership | null> {
  const { rows } = await sql.query<Membership>({
    name: 'find-membership',
    text: `SELECT conversation_id AS "conversationId", user_id AS "userId", reads_from_seq AS "readsFromSeq"
      FROM conversation_members WHERE conversation_id = $1 AND user_id = $2`,
    values: [conversationId, userId],
  });
  return rows[0] ?? null;
}

/** @throws AppError `not_found`: who is not a member does not learn whether the conversation exists. */
export async function requireMembership(sql: Sql, conversationId: string, userId: string): Promise<Membership> {
  const membership = await findMembership(sql, conversationId, userId);
  if (!membership) throw notFound('The conversation');
  return membership;
}
