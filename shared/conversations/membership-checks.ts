import type { Sql } from '../database.js';
import type { Membership } from './access.js';

/**
 * Of each conversation that exists a value that changes with its members: additions and changes raise the
 * version, removals lower the count.
 */
export async function readMembershipMarks(sql: Sql, conversationIds: string[]): Promise<Map<string, string>> {
  const { rows } = await sql.query<{ id: string; mark: string }>({
    name: 'membership-marks',
    text: `SELECT id, membership_version || ' ' || (
        SELECT count(*) FROM conversation_members WHERE conversation_id = conversations.id) AS mark
      FROM conversations WHERE id = ANY($1::uuid[])`,
    values: [conversationIds],
  });
  return new Map(rows.map(({ id, mark }) => [id, mark]));
}

/** Of the given pairs those that are members, in one query. */
export async function findMemberships(
  sql: Sql,
  pairs: { conversationId: string; userId: string }[],
): Promise<Membership[]> {
  const { rows } = await sql.query<Membership>({
    name: 'find-memberships',
    text: `SELECT conversation_id AS "conversationId", user_id AS "userId", reads_from_seq AS "readsFromSeq"
      FROM conversation_members
      JOIN unnest($1::uuid[], $2::uuid[]) AS pair (conversation_id, user_id) USING (conversation_id, user_id)`,
    values: [pairs.map(({ conversationId }) => conversationId), pairs.map(({ userId }) => userId)],
  });
  return rows;
}
