import type { Sql } from '../database.js';

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
