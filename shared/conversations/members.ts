import { z } from 'zod';
import type { Sql } from '../database.js';
import { AppError, notFound } from '../errors.js';
import { requireMembership } from './access.js';
import { maxMembers } from './limits.js';

/** Somebody who takes part. */
export const memberSchema = z
  .object({
    userId: z.uuid(),
    name: z.string(),
    readsFromSeq: z.int().describe('Reads the messages after this one; 0 is everything.'),
    addedAt: z.iso.datetime(),
  })
  .meta({ id: 'Member' });

type Member = z.infer<typeof memberSchema>;
type MemberRow = Omit<Member, 'addedAt'> & { addedAt: Date };

/** The members in the order in which they were added; whoever asks must be one. */
export async function listMembers(sql: Sql, conversationId: string, userId: string): Promise<Member[]> {
  await requireMembership(sql, conversationId, userId);
  const { rows } = await sql.query<MemberRow>(
    `SELECT member.user_id AS "userId", users.name, member.reads_from_seq AS "readsFromSeq", member.created_at AS "addedAt"
     FROM conversation_members AS member JOIN users ON users.id = member.user_id
     WHERE member.conversation_id = $1 ORDER BY member.created_at, member.user_id LIMIT ${maxMembers}`,
    [conversationId],
  );
  return rows.map((row) => ({ ...row, addedAt: row.addedAt.toISOString() }));
}

/** Locks the conversation against posts, other changes of its members, and replies that are being saved. */
async function lockAsOwner(
  tx: Sql,
  conversationId: string,
  userId: string,
  orSelf = false,
): Promise<{ lastSeq: number }> {
  await requireMembership(tx, conversationId, userId);
  const { rows } = await tx.query<{ ownerId: string; lastSeq: number }>(
    'SELECT owner_id AS "ownerId", last_seq AS "lastSeq" FROM conversations WHERE id = $1 FOR UPDATE',
    [conversationId],
  );
  const [row] = rows;
  if (!row) throw notFound('The conversation');
  if (row.ownerId !== userId && !orSelf) throw new AppError('forbidden', 'Only the owner may change the members.');
  return row;
}

/**
 * Adds somebody, who reads everything or only what comes from now on. Somebody who reads from a certain
 * point can be given everything; what somebody may read already is not taken away by this.
 *
 * A reply that runs meanwhile was begun for fewer readers: the raised version makes it start again.
 *
 * @returns whether anything changed.
 */
export async function addMember(
  tx: Sql,
  input: { conversationId: string; byUserId: string; userId: string; history: 'all' | 'from-now' },
): Promise<boolean> {
  const { conversationId, userId } = input;
  const { lastSeq } = await lockAsOwner(tx, conversationId, input.byUserId);
  const known = await tx.query('SELECT 1 FROM users WHERE id = $1 AND disabled_at IS NULL', [userId]);
  if (known.rowCount === 0) throw notFound('The account');
  const { rows } = await tx.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM conversation_members WHERE conversation_id = $1 AND user_id <> $2',
    [conversationId, userId],
  );
  if ((rows[0]?.count ?? 0) >= maxMembers) {
    throw new AppError('conflict', `A conversation has at most ${maxMembers} members.`);
  }
  const { rowCount } = await tx.query(
    `INSERT INTO conversation_members AS member (conversation_id, user_id, reads_from_seq) VALUES ($1, $2, $3)
     ON CONFLICT (conversation_id, user_id) DO UPDATE SET reads_from_seq = 0
     WHERE $3 = 0 AND member.reads_from_seq > 0`,
    [conversationId, userId, input.history === 'all' ? 0 : lastSeq],
  );
  if (rowCount === 0) return false;
  await tx.query(
    'UPDATE conversations SET membership_version = membership_version + 1, updated_at = now() WHERE id = $1',
    [conversationId],
  );
  return true;
}

/** Takes somebody out; members may take out themselves. The owner stays: a conversation belongs to somebody. */
export async function removeMember(
  tx: Sql,
  input: { conversationId: string; byUserId: string; userId: string },
): Promise<void> {
  const { conversationId, byUserId, userId } = input;
  await lockAsOwner(tx, conversationId, byUserId, byUserId === userId);
  const { rowCount } = await tx.query(
    `DELETE FROM conversation_members WHERE conversation_id = $1 AND user_id = $2
     AND NOT EXISTS (SELECT 1 FROM conversations WHERE id = $1 AND owner_id = $2)`,
    [conversationId, userId],
  );
  if (rowCount === 1) {
    // What they are posting at this moment waits for the conversation, and is accepted only if this is as it was.
    await tx.query(
      `UPDATE conversations SET updated_at = greatest(now(), updated_at + interval '1 millisecond') WHERE id = $1`,
      [conversationId],
    );
    return;
  }
  const owner = await tx.query('SELECT 1 FROM conversations WHERE id = $1 AND owner_id = $2', [conversationId, userId]);
  if (owner.rowCount === 1) throw new AppError('conflict', 'The owner cannot leave; delete the conversation instead.');
  throw notFound('The member');
}
