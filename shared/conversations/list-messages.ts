import type { Sql } from '../database.js';
import type { MessageView } from '../realtime/events.js';
import type { Membership } from './access.js';
import { type MessageRow, messageColumns, presentMessage } from './message.js';

/** A page of a conversation, of what the member may read. */
export async function listMessages(
  sql: Sql,
  membership: Membership,
  query: { order: 'asc' | 'desc'; limit: number; after: number | null },
): Promise<MessageView[]> {
  const [comparison, direction] = query.order === 'asc' ? ['>', 'ASC'] : ['<', 'DESC'];
  const { rows } = await sql.query<MessageRow>(
    `SELECT ${messageColumns} FROM messages
     WHERE conversation_id = $1 AND seq > $2 AND ($3::int IS NULL OR seq ${comparison} $3)
     ORDER BY seq ${direction} LIMIT $4`,
    [membership.conversationId, membership.readsFromSeq, query.after, query.limit],
  );
  return rows.map(presentMessage);
}

/** A message that a search found. */
export type Found = { message: MessageView; snippet: string };

/**
 * Full-text search over every message that the account may read, newest first. The syntax is that of search
 * engines: words, "a phrase", or, -not.
 *
 * @param query.before the id of the last message of the page before: ids of version 7 are in the order of time.
 */
export async function searchMessages(
  sql: Sql,
  query: { userId: string; q: string; conversationId?: string; limit: number; before: string | null },
): Promise<Found[]> {
  const { rows } = await sql.query<MessageRow & { snippet: string }>(
    `SELECT ${messageColumns}, ts_headline('english', left(content, 20000), websearch_to_tsquery('english', $2),
       'StartSel="", StopSel="", MaxFragments=1, MaxWords=35, MinWords=15') AS snippet
     FROM messages
     WHERE search @@ websearch_to_tsquery('english', $2) AND deleted_at IS NULL AND superseded_by IS NULL
       AND ($3::uuid IS NULL OR conversation_id = $3) AND ($4::uuid IS NULL OR id < $4)
       AND EXISTS (SELECT 1 FROM conversation_members AS member
         WHERE member.conversation_id = messages.conversation_id AND member.user_id = $1
           AND messages.seq > member.reads_from_seq)
     ORDER BY id DESC LIMIT $5`,
    [query.userId, query.q, query.conversationId ?? null, query.before, query.limit],
  );
  return rows.map((row) => ({ message: presentMessage(row), snippet: row.snippet }));
}
