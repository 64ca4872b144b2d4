import type { Sql } from '../database.js';

/** More than this of one conversation are not announced to who joins; each is heard of when it begins. */
const maxReplies = 100;

/**
 * The replies of a conversation that wait or run, oldest first, of those that the reader may read; and the seq of
 * the conversation's newest message.
 */
export async function findRunningReplies(
  sql: Sql,
  conversationId: string,
  readsFromSeq: number,
): Promise<{ lastSeq: number; replyIds: string[] }> {
  const { rows } = await sql.query<{ lastSeq: number; replyIds: string[] }>({
    name: 'running-replies',
    text: `SELECT last_seq AS "lastSeq", ARRAY(
        SELECT id FROM messages
        WHERE conversation_id = $1 AND state IN ('queued', 'running') AND seq > $2
        ORDER BY seq LIMIT ${maxReplies}) AS "replyIds"
      FROM conversations WHERE id = $1`,
    values: [conversationId, readsFromSeq],
  });
  return rows[0] ?? { lastSeq: 0, replyIds: [] };
}
