import type { Sql } from '../database.js';

/** A message that is shown to the model. */
export type HistoryMessage = { seq: number; role: 'user' | 'assistant'; content: string; authorName: string | null };

/** Rows read at most: more turns than this say nothing that a model would still use. */
const maxMessages = 2_000;

/**
 * What the model is shown before it answers `trigger`, oldest first: what every member may read who may read
 * the reply. A member who was added `from-now` after the reply's place reads neither and takes nothing away.
 *
 * @param maxCharacters where to stop going back; the oldest message read may reach beyond it.
 * @returns the messages, and how many more there are before them.
 */
export async function readHistory(
  sql: Sql,
  where: { conversationId: string; triggerSeq: number; replySeq: number; maxCharacters: number },
): Promise<{ messages: HistoryMessage[]; left: number }> {
  const { rows } = await sql.query<HistoryMessage & { total: string }>({
    name: 'read-history',
    text: `
WITH floor AS (
  SELECT coalesce(max(reads_from_seq), 0) AS seq FROM conversation_members
  WHERE conversation_id = $1 AND reads_from_seq < $3
), readable AS (
  SELECT message.seq, message.role, message.content, message.author_id,
    count(*) OVER () AS total,
    sum(length(message.content)) OVER (ORDER BY message.seq DESC) - length(message.content) AS newer
  FROM messages AS message, floor
  WHERE message.conversation_id = $1 AND message.seq > floor.seq AND message.seq <= $2
    AND message.state IN ('done', 'cancelled') AND message.superseded_by IS NULL AND message.deleted_at IS NULL
    AND message.content ~ '\\S'
)
SELECT readable.seq, readable.role, readable.content, users.name AS "authorName", readable.total
FROM readable LEFT JOIN users ON users.id = readable.author_id
WHERE readable.newer < $4
ORDER BY readable.seq DESC LIMIT ${maxMessages}`,
    values: [where.conversationId, where.triggerSeq, where.replySeq, where.maxCharacters],
  });
  const messages = rows.reverse().map(({ seq, role, content, authorName }) => ({ seq, role, content, authorName }));
  return { messages, left: Number(rows[0]?.total ?? 0) - messages.length };
}
