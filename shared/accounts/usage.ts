import { v7 as uuidv7 } from 'uuid';
import type { TokenUsage } from '../adapters/language-model/model.js';
import type { Sql } from '../database.js';

/** What one attempt cost. */
export type UsageOfAttempt = {
  userId: string;
  /** Null where it was for something else than a reply. */
  conversationId: string | null;
  /** The reply, or the suggestion for a document. */
  messageId: string;
  attempt: number;
  model: string;
  tokens: TokenUsage;
};

/** Notes what an attempt cost. Written again, the later numbers count: they are totals of the attempt. */
export async function recordUsage(sql: Sql, usage: UsageOfAttempt): Promise<void> {
  const { userId, conversationId, messageId, attempt, model, tokens } = usage;
  await sql.query({
    name: 'record-usage',
    text: `INSERT INTO usage (id, user_id, conversation_id, message_id, attempt, model,
        input_tokens, output_tokens, cache_read_tokens, cache_write_tokens)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      ON CONFLICT (message_id, attempt) DO UPDATE SET model = excluded.model, input_tokens = excluded.input_tokens,
        output_tokens = excluded.output_tokens, cache_read_tokens = excluded.cache_read_tokens,
        cache_write_tokens = excluded.cache_write_tokens`,
    values: [
      uuidv7(),
      userId,
      conversationId,
      messageId,
      attempt,
      model,
      tokens.input,
      tokens.output,
      tokens.cacheRead,
      tokens.cacheWrite,
    ],
  });
}

/** The tokens that one account used with one model on one day (UTC, `YYYY-MM-DD`). */
export type UsageOfDay = {
  day: string;
  userId: string;
  model: string;
  /** Attempts that were paid for: a reply that was retried counts once for each, however often it looked things up. */
  attempts: number;
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
};

/** The last line of a page. */
export type UsagePlace = Pick<UsageOfDay, 'day' | 'userId' | 'model'>;

export type UsageFilter = {
  /** Null: everybody. */
  userId: string | null;
  /** First and last day, both included. */
  from: string;
  to: string;
  after: UsagePlace | null;
  limit: number;
};

/** The begin of a day in UTC. A day itself is put into the zone that the database is set to. */
const midnight = (day: string): string => `(${day})::timestamp AT TIME ZONE 'UTC'`;

/** Tokens by day, account and model, newest day first. */
export async function listUsage(sql: Sql, filter: UsageFilter): Promise<UsageOfDay[]> {
  const { rows } = await sql.query<UsageOfDay>(
    `SELECT to_char(day, 'YYYY-MM-DD') AS day, user_id AS "userId", model, count(*)::int AS attempts,
            sum(input_tokens)::float8 AS "inputTokens", sum(output_tokens)::float8 AS "outputTokens",
            sum(cache_read_tokens)::float8 AS "cacheReadTokens", sum(cache_write_tokens)::float8 AS "cacheWriteTokens"
     FROM (SELECT *, (created_at AT TIME ZONE 'UTC')::date AS day FROM usage
           WHERE ($1::uuid IS NULL OR user_id = $1)
             AND created_at >= ${midnight('$2::date')} AND created_at < ${midnight('$3::date + 1')}) AS used
     WHERE $4::date IS NULL OR day < $4 OR (day = $4 AND (user_id, model) > ($5::uuid, $6::text))
     GROUP BY used.day, user_id, model
     ORDER BY used.day DESC, user_id, model LIMIT $7`,
    [
      filter.userId,
      filter.from,
      filter.to,
      filter.after?.day ?? null,
      filter.after?.userId ?? null,
      filter.after?.model ?? null,
      filter.limit,
    ],
  );
  return rows;
}
