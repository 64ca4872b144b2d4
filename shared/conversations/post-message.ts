import { v7 as uuidv7 } from 'uuid';
import type { Ready } from '../backlog/enqueue.js';
import type { Database, Sql } from '../database.js';
import { AppError } from '../errors.js';
import { catalogue } from '../jobs/index.js';
import type { MessageView } from '../realtime/events.js';
import { requireMembership } from './access.js';
import { findReadableMessage, type MessageRow, messageColumns, presentMessage } from './message.js';

export type NewMessage = {
  conversationId: string;
  authorId: string;
  content: string;
  /** What the sender calls the message: sent again under the same name it is the same message. */
  clientId?: string;
  /** Whether Claude replies; when not told, in a conversation of one person or when @claude is mentioned. */
  reply?: boolean;
  /** An Idempotency-Key with what it was used for. */
  idempotency?: { route: string; key: string; bodyHash: Buffer } | null;
};

export type PostedMessage = {
  message: MessageView;
  reply: MessageView | null;
  /** The job that makes the reply. */
  jobId: string | null;
  /** For the dispatcher, when a reply was asked for that may go, or is the next. */
  ready: Ready | null;
  /** The message had been accepted before. */
  replayed: boolean;
};

/**
 * `@claude`, not as part of a longer word, of a domain or of an e-mail address. Letters of scripts that have no spaces
 * between their words may stand beside it.
 */
export const mentionsClaude = (content: string): boolean => mention.test(content);

const unspaced = String.raw`[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]`;
const letter = String.raw`(?!${unspaced})[\p{L}\p{M}\p{N}_]`;
const mention = new RegExp(String.raw`(?<!(?:${letter})|[.+])@claude(?!${letter}|@|[.-](?:${letter}))`, 'iu');

/** The order key of what must not overlap in a conversation. */
export const conversationOrderKey = (conversationId: string): string => `conversation:${conversationId}`;

/**
 * Accepts a message, its reply and the reply's job in one statement: they are there together or not at all.
 * Sent again under the same `clientId` or Idempotency-Key, the first one is returned and nothing is added.
 *
 * One statement of five parts costs one round trip; as a transaction of six statements it was the larger
 * part of the whole request. Who is a member is seen as it was when the statement began; but the conversation is looked at
 * again once it has been waited for, and every change of its members moves `updated_at`.
 *
 * @throws AppError `not_found` when the author is no member; `idempotency_key_reused`; `conflict` when the `clientId`
 * was used for another message, or what was sent under it is gone.
 */
export const postMessage = (database: Database, input: NewMessage): Promise<PostedMessage> =>
  post(database, input, false);

/** @param behind whether another reply is known to be under way there. */
async function post(database: Database, input: NewMessage, behind: boolean): Promise<PostedMessage> {
  const ids = { message: uuidv7(), reply: uuidv7(), job: uuidv7() };
  try {
    const { rows } = await database.query<PostedRow>({
      ...(input.idempotency ? insertWithKey : insert),
      values: [
        input.conversationId,
        input.authorId,
        ids.message,
        input.content,
        input.clientId ?? null,
        input.reply ?? null,
        mentionsClaude(input.content),
        ids.reply,
        ids.job,
        JSON.stringify({ messageId: ids.reply }),
        conversationOrderKey(input.conversationId),
        behind,
        ...(input.idempotency ? [input.idempotency.route, input.idempotency.key, input.idempotency.bodyHash] : []),
      ],
    });
    const [row] = rows;
    if (row) return present(input, ids, row);
    // No member; or the members changed while it waited for the conversation, and the author may still be one.
    await requireMembership(database, input.conversationId, input.authorId);
    return await post(database, input, behind);
  } catch (error) {
    const { code, constraint } = error as { code?: string; constraint?: string };
    if (code === '23505' && constraint === 'messages_client_id_key') return findByClientId(database, input);
    if (code === '23505' && constraint === 'idempotency_keys_pkey') return findByKey(database, input);
    // A failed reply there was put in line again in between: it goes first.
    if (code === '23505' && constraint === 'jobs_order_key_key' && !behind) return post(database, input, true);
    throw error;
  }
}

type PostedRow = Pick<MessageRow, 'seq' | 'model' | 'createdAt'> & {
  replySeq: number | null;
  blocked: boolean | null;
  othersWait: boolean | null;
};

const lane = catalogue['reply-to-message'];

/** Then the end of the one before lets the new one go, and the dispatcher, to whom it was a transaction, is not asked. */
const othersWait = `EXISTS (SELECT 1 FROM jobs WHERE order_key = $11 AND blocked AND state = 'pending')`;

/**
 * Where no reply is under way or waits, which is nearly always so, the new one may go at once: to let it go later took
 * the dispatcher another transaction. All of this is seen as it was when the statement began: who has waited for the
 * conversation's row since, and got another number than the next one of then, is behind whoever had it.
 */
const isBehind = `last_seq > 2 + (SELECT last_seq FROM conversations WHERE id = $1)
    OR EXISTS (SELECT 1 FROM jobs WHERE order_key = $11 AND NOT blocked AND state IN ('pending', 'queued', 'running'))
    OR ${othersWait}`;

const statement = (keyed: boolean): string => `
WITH wanted AS (
  SELECT coalesce($6::boolean, $7::boolean OR (
    SELECT count(*) FROM conversation_members WHERE conversation_id = $1) = 1) AS reply, conversations.updated_at
  FROM conversation_members JOIN conversations ON id = conversation_id WHERE conversation_id = $1 AND user_id = $2
), conversation AS (
  UPDATE conversations SET last_seq = last_seq + CASE WHEN wanted.reply THEN 2 ELSE 1 END, last_message_at = now()
  FROM wanted WHERE id = $1 AND conversations.updated_at = wanted.updated_at
  RETURNING last_seq, model, wanted.reply
), message AS (
  INSERT INTO messages (id, conversation_id, seq, role, author_id, content, client_id, state, completed_at)
  SELECT $3, $1, last_seq - CASE WHEN reply THEN 1 ELSE 0 END, 'user', $2, $4, $5, 'done', now() FROM conversation
  RETURNING seq, created_at
), reply AS (
  INSERT INTO messages (id, conversation_id, seq, role, reply_to, state, model)
  SELECT $8, $1, last_seq, 'assistant', $3, 'queued', model FROM conversation WHERE reply
  RETURNING seq
), job AS (
  INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, order_key, blocked)
  SELECT $9, '${lane.kind}', '${lane.queue}', $10, $2, $8, $11, $12 OR ${isBehind}
  FROM conversation WHERE reply
  RETURNING blocked, ${othersWait} AS others_wait
)${
  keyed
    ? `, idempotency AS (
  INSERT INTO idempotency_keys (user_id, route, key, body_hash, status, response)
  SELECT $2, $13, $14, $15, 202, jsonb_build_object('messageId', $3::uuid) FROM conversation
)`
    : ''
}
SELECT message.seq, (SELECT seq FROM reply) AS "replySeq", conversation.model, message.created_at AS "createdAt",
  (SELECT blocked FROM job) AS blocked, (SELECT others_wait FROM job) AS "othersWait"
FROM conversation, message`;

const insert = { name: 'post-message', text: statement(false) };
const insertWithKey = { name: 'post-message-with-key', text: statement(true) };

function present(
  input: NewMessage,
  ids: { message: string; reply: string; job: string },
  row: PostedRow,
): PostedMessage {
  const createdAt = row.createdAt.toISOString();
  const common = {
    conversationId: input.conversationId,
    attempt: 0,
    error: null,
    metadata: null,
    citations: [],
    supersededBy: null,
    createdAt,
    editedAt: null,
    deletedAt: null,
  };
  const message: MessageView = {
    ...common,
    id: ids.message,
    seq: row.seq,
    role: 'user',
    authorId: input.authorId,
    content: input.content,
    clientId: input.clientId ?? null,
    replyTo: null,
    state: 'done',
    model: null,
    completedAt: createdAt,
  };
  if (row.replySeq === null) return { message, reply: null, jobId: null, ready: null, replayed: false };
  const reply: MessageView = {
    ...common,
    id: ids.reply,
    seq: row.replySeq,
    role: 'assistant',
    authorId: null,
    content: '',
    clientId: null,
    replyTo: ids.message,
    state: 'queued',
    model: row.model,
    completedAt: null,
  };
  const ready: Ready | null = row.othersWait
    ? null
    : {
        lane: { queue: lane.queue, userId: input.authorId },
        orderKey: row.blocked ? conversationOrderKey(input.conversationId) : undefined,
      };
  return { message, reply, jobId: ids.job, ready, replayed: false };
}

async function findByClientId(sql: Sql, input: NewMessage): Promise<PostedMessage> {
  const { rows } = await sql.query<{ id: string }>(
    'SELECT id FROM messages WHERE conversation_id = $1 AND author_id = $2 AND client_id = $3',
    [input.conversationId, input.authorId, input.clientId],
  );
  const earlier = await replay(sql, rows[0]?.id, input.authorId);
  const { content, editedAt, deletedAt } = earlier.message;
  // Answered with the earlier one, this message would be lost without a word. What one says now that was changed since
  // tells nothing of what it said first.
  if (content !== input.content && !editedAt && !deletedAt) {
    throw new AppError('conflict', 'This clientId was used for another message of yours. Use a new one.');
  }
  return earlier;
}

async function findByKey(sql: Sql, input: NewMessage): Promise<PostedMessage> {
  const { rows } = await sql.query<{ messageId: string; bodyHash: Buffer }>(
    `SELECT response->>'messageId' AS "messageId", body_hash AS "bodyHash" FROM idempotency_keys
     WHERE user_id = $1 AND route = $2 AND key = $3`,
    [input.authorId, input.idempotency?.route, input.idempotency?.key],
  );
  if (rows[0] && !rows[0].bodyHash.equals(input.idempotency?.bodyHash ?? Buffer.alloc(0))) {
    throw new AppError('idempotency_key_reused', 'This Idempotency-Key was used with another body. Use a new key.');
  }
  return replay(sql, rows[0]?.messageId, input.authorId);
}

/**
 * The message and its reply as they are by now: the caller learns what has become of what it had sent. Who was
 * taken out and added again may not read it any more.
 */
async function replay(sql: Sql, id: string | undefined, authorId: string): Promise<PostedMessage> {
  const message = id ? await findReadableMessage(sql, id, authorId) : null;
  if (!message) throw new AppError('conflict', 'The message that was sent under this name is gone. Use a new one.');
  const { rows } = await sql.query<MessageRow>(
    `SELECT ${messageColumns} FROM messages WHERE reply_to = $1 ORDER BY seq DESC LIMIT 1`,
    [message.id],
  );
  const reply = rows[0] ? presentMessage(rows[0]) : null;
  const jobs = reply ? await sql.query<{ id: string }>('SELECT id FROM jobs WHERE subject_id = $1', [reply.id]) : null;
  return { message: presentMessage(message), reply, jobId: jobs?.rows[0]?.id ?? null, ready: null, replayed: true };
}
