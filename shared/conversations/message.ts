import type { Sql } from '../database.js';
import type { MessageView } from '../realtime/events.js';

/** A row of `messages` as it is read; columns under the names of the API. */
export type MessageRow = Omit<MessageView, 'citations' | 'createdAt' | 'completedAt' | 'editedAt' | 'deletedAt'> & {
  createdAt: Date;
  completedAt: Date | null;
  editedAt: Date | null;
  deletedAt: Date | null;
};

/** What every statement that reads messages selects. */
export const messageColumns = `id, conversation_id AS "conversationId", seq, role, author_id AS "authorId", content,
  client_id AS "clientId", reply_to AS "replyTo", state, attempt, error, metadata, model,
  superseded_by AS "supersededBy", created_at AS "createdAt", completed_at AS "completedAt",
  edited_at AS "editedAt", deleted_at AS "deletedAt"`;

/** The message as readers see it, without its citations: those depend on who reads. */
export function presentMessage(row: MessageRow): MessageView {
  return {
    id: row.id,
    conversationId: row.conversationId,
    seq: row.seq,
    role: row.role,
    authorId: row.authorId,
    content: row.content,
    clientId: row.clientId,
    replyTo: row.replyTo,
    state: row.state,
    attempt: row.attempt,
    error: row.error,
    metadata: row.metadata,
    model: row.model,
    citations: [],
    supersededBy: row.supersededBy,
    createdAt: row.createdAt.toISOString(),
    completedAt: row.completedAt?.toISOString() ?? null,
    editedAt: row.editedAt?.toISOString() ?? null,
    deletedAt: row.deletedAt?.toISOString() ?? null,
  };
}

/** Whether nothing more is said in it; a message of a person has ended from the start. */
export const hasEnded = ({ state }: Pick<MessageRow, 'state'>): boolean => state !== 'queued' && state !== 'running';

/** @returns null when there is no such message; whether the caller may read it is not asked here. */
export async function findMessage(sql: Sql, id: string): Promise<MessageRow | null> {
  const { rows } = await sql.query<MessageRow>({
    name: 'find-message',
    text: `SELECT ${messageColumns} FROM messages WHERE id = $1`,
    values: [id],
  });
  return rows[0] ?? null;
}

/** The message, if the account is a member of its conversation and reads from before it. */
export async function findReadableMessage(sql: Sql, id: string, userId: string): Promise<MessageRow | null> {
  const { rows } = await sql.query<MessageRow>({
    name: 'find-readable-message',
    text: `SELECT ${messageColumns} FROM messages WHERE id = $1 AND EXISTS (
      SELECT 1 FROM conversation_members AS member
      WHERE member.conversation_id = messages.conversation_id AND member.user_id = $2 AND messages.seq > member.reads_from_seq)`,
    values: [id, userId],
  });
  return rows[0] ?? null;
}
