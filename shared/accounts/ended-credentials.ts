import type { Sql } from '../database.js';
import type { Principal } from './principal.js';

/**
 * Of the given credentials those that are not accepted any more (revoked, expired, account disabled or gone), in
 * one query however many there are.
 *
 * @returns their ids.
 */
export async function findEndedCredentials(sql: Sql, credentials: Principal['credential'][]): Promise<Set<string>> {
  const idsOf = (type: Principal['credential']['type']): string[] =>
    credentials.filter((credential) => credential.type === type).map(({ id }) => id);
  const { rows } = await sql.query<{ id: string }>({
    name: 'ended-credentials',
    text: `SELECT id FROM unnest($1::uuid[]) AS given (id) WHERE NOT EXISTS (
        SELECT 1 FROM sessions JOIN users ON users.id = user_id
        WHERE sessions.id = given.id AND revoked_at IS NULL AND disabled_at IS NULL)
      UNION ALL
      SELECT id FROM unnest($2::uuid[]) AS given (id) WHERE NOT EXISTS (
        SELECT 1 FROM api_keys JOIN users ON users.id = user_id
        WHERE api_keys.id = given.id AND revoked_at IS NULL AND disabled_at IS NULL
          AND (expires_at IS NULL OR expires_at > now()))`,
    values: [idsOf('session'), idsOf('api-key')],
  });
  return new Set(rows.map(({ id }) => id));
}
