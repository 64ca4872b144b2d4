import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type CancelledJobs, cancelJobs } from '../backlog/cancel-jobs.js';
import type { Sql } from '../database.js';
import { AppError, notFound } from '../errors.js';
import { line, text } from '../schemas.js';
import { maxSystemPromptLength } from './limits.js';

/** What people may set of a conversation. */
export const conversationFields = {
  title: line(200),
  systemPrompt: text(maxSystemPromptLength).nullable().describe('Added to what Claude is told in every conversation.'),
  knowledge: z.enum(['on', 'off']).describe('Whether replies look things up in the knowledge store.'),
  model: line(100).nullable().describe('A model of Claude; null is the one that the server is set to.'),
};

/** A conversation as its members see it. */
export const conversationSchema = z
  .object({
    id: z.uuid(),
    ownerId: z.uuid(),
    ...conversationFields,
    lastSeq: z.int().describe('The seq of the newest message; 0 when there is none.'),
    lastMessageAt: z.iso.datetime().describe('Of one without messages when it was created.'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Conversation' });

export type ConversationView = z.infer<typeof conversationSchema>;

type ConversationRow = Omit<ConversationView, 'lastMessageAt' | 'createdAt' | 'updatedAt'> & {
  lastMessageAt: Date;
  createdAt: Date;
  updatedAt: Date;
};

const columns = `conversation.id, conversation.owner_id AS "ownerId", conversation.title,
  conversation.system_prompt AS "systemPrompt", conversation.model, conversation.knowledge, conversation.last_seq AS "lastSeq",
  conversation.last_message_at AS "lastMessageAt", conversation.created_at AS "createdAt", conversation.updated_at AS "updatedAt"`;

const present = (row: ConversationRow): ConversationView => ({
  ...row,
  lastMessageAt: row.lastMessageAt.toISOString(),
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

export type NewConversation = { ownerId: string; title: string } & Omit<ConversationChange, 'title'>;

/** Opens a conversation with its owner as the only member. */
export async function createConversation(sql: Sql, input: NewConversation): Promise<ConversationView> {
  const { rows } = await sql.query<ConversationRow>(
    `WITH conversation AS (
      INSERT INTO conversations (id, owner_id, title, system_prompt, model, knowledge)
      VALUES ($1, $2, $3, $4, $5, $6) RETURNING *
    ), member AS (
      INSERT INTO conversation_members (conversation_id, user_id, owns) SELECT id, owner_id, true FROM conversation
    ) SELECT ${columns} FROM conversation`,
    [uuidv7(), input.ownerId, input.title, input.systemPrompt ?? null, input.model ?? null, input.knowledge ?? 'on'],
  );
  return present(rows[0] as ConversationRow);
}

/** @throws AppError `not_found` for whoever is not a member. */
export async function getConversation(sql: Sql, id: string, userId: string): Promise<ConversationView> {
  const { rows } = await sql.query<ConversationRow>(
    `SELECT ${columns} FROM conversations AS conversation
     JOIN conversation_members AS member ON member.conversation_id = conversation.id
     WHERE conversation.id = $1 AND member.user_id = $2`,
    [id, userId],
  );
  if (!rows[0]) throw notFound('The conversation');
  return present(rows[0]);
}

/** Where a page of the list ended. */
export const conversationPosition = z.strictObject({
  // The calendar of Postgres has no year 0.
  at: z.iso.datetime().refine((at) => at >= '0001'),
  id: z.uuid(),
});

const isAfter = (row: string): string =>
  `($2::timestamptz IS NULL OR (${row}.last_message_at, ${row}.id) < ($2::timestamptz, $3::uuid))`;
const newest = (row: string): string => `ORDER BY ${row}.last_message_at DESC, ${row}.id DESC LIMIT $4`;

/**
 * The conversations of a member, the one with the newest message first. The own ones, of which a program may have tens of
 * thousands, are in this order in their index (of 50,000 the first page took a second when each was looked at). Those of
 * others are looked up by their keys, which `OFFSET 0` has Postgres do: it would rather read those of everybody.
 */
export async function listConversations(
  sql: Sql,
  query: { userId: string; limit: number; after: z.infer<typeof conversationPosition> | null },
): Promise<ConversationView[]> {
  const { rows } = await sql.query<ConversationRow>(
    `SELECT ${columns} FROM (
       (SELECT * FROM conversations AS own WHERE owner_id = $1 AND ${isAfter('own')} ${newest('own')})
       UNION ALL
       (SELECT shared.* FROM conversation_members AS member
        CROSS JOIN LATERAL (
          SELECT * FROM conversations WHERE conversations.id = member.conversation_id OFFSET 0) AS shared
        WHERE member.user_id = $1 AND NOT member.owns AND shared.owner_id <> $1 AND ${isAfter('shared')} ${newest('shared')})
     ) AS conversation ${newest('conversation')}`,
    [query.userId, query.after?.at ?? null, query.after?.id ?? null, query.limit],
  );
  return rows.map(present);
}

export type ConversationChange = {
  title?: string;
  systemPrompt?: string | null;
  model?: string | null;
  knowledge?: 'on' | 'off';
};

/** Changes what is given. Members may rename; what Claude is told and which model answers is the owner's to say. */
export async function updateConversation(
  sql: Sql,
  where: { id: string; userId: string },
  change: ConversationChange,
): Promise<ConversationView> {
  const before = await getConversation(sql, where.id, where.userId);
  const forOwner = change.systemPrompt !== undefined || change.model !== undefined || change.knowledge !== undefined;
  if (forOwner && before.ownerId !== where.userId) {
    throw new AppError('forbidden', 'Only the owner may change the system prompt, the model or the use of knowledge.');
  }
  const { rows } = await sql.query<ConversationRow>(
    `UPDATE conversations AS conversation SET title = coalesce($2, title),
       system_prompt = CASE WHEN $3 THEN $4 ELSE system_prompt END,
       model = CASE WHEN $5 THEN $6 ELSE model END, knowledge = coalesce($7, knowledge), updated_at = now()
     WHERE id = $1 AND updated_at = $8 RETURNING ${columns}`,
    [
      where.id,
      change.title ?? null,
      change.systemPrompt !== undefined,
      change.systemPrompt ?? null,
      change.model !== undefined,
      change.model ?? null,
      change.knowledge ?? null,
      before.updatedAt,
    ],
  );
  // It was changed while this waited for it, perhaps by taking out who asks.
  return rows[0] ? present(rows[0]) : updateConversation(sql, where, change);
}

/**
 * Deletes a conversation with everything in it, and stops what is running there.
 *
 * @returns who was a member, to be told, and what was cancelled.
 */
export async function deleteConversation(
  tx: Sql,
  where: { id: string; userId: string; orderKey: string },
): Promise<{ memberIds: string[]; cancelled: CancelledJobs }> {
  const { ownerId } = await getConversation(tx, where.id, where.userId);
  if (ownerId !== where.userId) throw new AppError('forbidden', 'Only the owner may delete a conversation.');
  const members = await tx.query<{ id: string }>(
    'SELECT user_id AS id FROM conversation_members WHERE conversation_id = $1',
    [where.id],
  );
  // By the two indexes of unfinished jobs, each under its own condition.
  const cancelled = await cancelJobs(
    tx,
    `SELECT id FROM jobs WHERE order_key = $1 AND blocked AND state = 'pending' UNION ALL
     SELECT id FROM jobs WHERE order_key = $1 AND NOT blocked AND state IN ('pending', 'queued', 'running')`,
    [where.orderKey],
  );
  await tx.query('DELETE FROM conversations WHERE id = $1', [where.id]);
  return { memberIds: members.rows.map(({ id }) => id), cancelled };
}
