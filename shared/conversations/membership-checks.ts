import type { Sql } from '../database.js';
import type { Membership } from './access.js';

/** Of each conversation that exists its `membership_version`, which every change of members raises. */
export async function readMembershipVersions(sql: Sql, conversationIds: string[]): Promise<Map<string, number>> {
  const { rows } = await sql.query<{ id: string; version: number }>({
    name: 'membership-versions',
    text: 'SELECT id, membership_version AS version FROM conversations WHERE id = ANY($1::uuid[])',
    values: [conversationIds],
  });
  return new Map(rows.map(({ id, version }) => [id, version]));
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
