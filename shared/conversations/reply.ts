import { type Claim, guardSql } from '../backlog/claim.js';
import type { Sql } from '../database.js';
import { ClaimLost } from '../errors.js';
import { type MessageRow, messageColumns } from './message.js';

/** A reply that is about to be written, with what its conversation says about how. */
export type ReplyTask = {
  reply: MessageRow;
  triggerSeq: number;
  systemPrompt: string | null;
  model: string | null;
  /** Whether it may look things up. */
  knowledge: boolean;
  /** Raised when somebody is added: a reply made for fewer readers is not saved. */
  membershipVersion: number;
};

type BegunRow = MessageRow &
  Pick<ReplyTask, 'triggerSeq' | 'systemPrompt' | 'knowledge' | 'membershipVersion'> & {
    ownModel: string | null;
  };

/**
 * Marks the reply as running in the attempt that holds its job, in one statement: it is asked before each reply, and
 * a transaction of two took four.
 *
 * @returns null when it has ended, is gone, or belongs to a newer attempt.
 * @throws {ClaimLost}
 */
export async function beginReply(sql: Sql, messageId: string, claim: Claim): Promise<ReplyTask | null> {
  const { rows } = await sql.query<BegunRow | { id: null }>({
    name: 'begin-reply',
    text: `
WITH claim AS MATERIALIZED (${guardSql('$3', '$2')}), reply AS (
  UPDATE messages SET state = 'running', attempt = $2
  WHERE id = $1 AND state IN ('queued', 'running') AND attempt < $2 AND EXISTS (SELECT 1 FROM claim)
  RETURNING ${messageColumns}
)
SELECT begun.* FROM claim LEFT JOIN (
  SELECT reply.*, trigger.seq AS "triggerSeq", conversation.system_prompt AS "systemPrompt",
    conversation.model AS "ownModel", conversation.knowledge = 'on' AS knowledge, conversation.membership_version AS "membershipVersion"
  FROM reply JOIN conversations AS conversation ON conversation.id = reply."conversationId"
  JOIN messages AS trigger ON trigger.id = reply."replyTo"
) AS begun ON true`,
    values: [messageId, claim.attempt, claim.id],
  });
  const [row] = rows;
  if (!row) throw new ClaimLost();
  if (row.id === null) return null;
  const { triggerSeq, systemPrompt, ownModel, knowledge, membershipVersion, ...reply } = row;
  return { reply, triggerSeq, systemPrompt, model: ownModel, knowledge, membershipVersion };
}

/**
 * Notes which passages an attempt is given, before the model is: what its log holds after a crash may draw on them.
 * One that was replaced, or has ended, notes nothing; its words are not saved from the log either.
 */
export async function noteGrounds(
  sql: Sql,
  { messageId, attempt, passages }: { messageId: string; attempt: number; passages: readonly unknown[] },
): Promise<void> {
  await sql.query({
    name: 'note-grounds',
    text: `UPDATE messages SET grounds = $3 WHERE id = $1 AND attempt = $2 AND state = 'running'`,
    values: [messageId, attempt, JSON.stringify({ attempt, passages })],
  });
}

/** What {@link noteGrounds} noted last, as it was given. */
export type Grounds<Passage> = { attempt: number; passages: Passage[] };

/**
 * Nobody is added to the conversation until the transaction ends.
 *
 * @returns null when no attempt was given any passages, or the reply is gone.
 */
export async function readGrounds<Passage>(
  tx: Sql,
  messageId: string,
): Promise<(Grounds<Passage> & { conversationId: string }) | null> {
  const { rows } = await tx.query<{ grounds: Grounds<Passage>; conversationId: string }>(
    `SELECT message.grounds, conversation.id AS "conversationId"
     FROM messages AS message JOIN conversations AS conversation ON conversation.id = message.conversation_id
     WHERE message.id = $1 AND message.grounds IS NOT NULL FOR SHARE OF conversation`,
    [messageId],
  );
  return rows[0] ? { ...rows[0].grounds, conversationId: rows[0].conversationId } : null;
}

/** How a reply is stored when it has ended. */
export type ReplyEnd = {
  messageId: string;
  attempt: number;
  state: 'done' | 'failed' | 'cancelled';
  content: string;
  error: { code: string; message: string } | null;
  metadata: Record<string, unknown> | null;
  model: string | null;
};

/**
 * Stores the end of a reply once. Call it in a transaction that has checked the claim.
 *
 * @returns the message as it is stored; null when it had ended before or is gone.
 */
export async function saveReply(tx: Sql, end: ReplyEnd): Promise<MessageRow | null> {
  const { rows } = await tx.query<MessageRow>({
    name: 'save-reply',
    text: `UPDATE messages SET state = $2, attempt = $3, content = $4, error = $5, metadata = $6,
      model = coalesce($7, model), grounds = NULL, completed_at = now()
      WHERE id = $1 AND state IN ('queued', 'running') RETURNING ${messageColumns}`,
    values: [
      end.messageId,
      end.state,
      end.attempt,
      end.content,
      end.error && JSON.stringify(end.error),
      end.metadata && JSON.stringify(end.metadata),
      end.model,
    ],
  });
  return rows[0] ?? null;
}

/** Says why replies, and edits, were cancelled that nobody had asked to cancel. */
export const ownerDisabled = {
  code: 'account_disabled',
  message: 'The account that had asked for this was disabled.',
};

/**
 * Ends replies whose jobs were cancelled while they waited.
 *
 * @returns those that had not ended before.
 */
export async function endWaiting(
  tx: Sql,
  messageIds: string[],
  error: ReplyEnd['error'] = null,
): Promise<MessageRow[]> {
  const { rows } = await tx.query<MessageRow>(
    // The end of the attempt that had failed was told under its number: this one needs another to be heard.
    `UPDATE messages SET state = 'cancelled', attempt = CASE WHEN attempt > 0 THEN attempt + 1 ELSE 0 END, content = '',
       error = $2, metadata = NULL, grounds = NULL, completed_at = now()
     WHERE id = ANY($1::uuid[]) AND state IN ('queued', 'running') RETURNING ${messageColumns}`,
    [messageIds, error && JSON.stringify(error)],
  );
  return rows;
}

/** True when nobody was added since; the row is locked against it until the transaction ends. */
export async function membershipIsStill(tx: Sql, conversationId: string, version: number): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'membership-is-still',
    text: 'SELECT 1 FROM conversations WHERE id = $1 AND membership_version = $2 FOR SHARE',
    values: [conversationId, version],
  });
  return rowCount === 1;
}

/** @returns null when the conversation is gone. */
export async function readMembershipVersion(sql: Sql, conversationId: string): Promise<number | null> {
  const { rows } = await sql.query<{ version: number }>({
    name: 'membership-version',
    text: 'SELECT membership_version AS version FROM conversations WHERE id = $1',
    values: [conversationId],
  });
  return rows[0]?.version ?? null;
}
