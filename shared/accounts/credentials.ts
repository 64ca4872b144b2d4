import type { Sql } from '../database.js';
import { invalidToken, tokenExpired, type AccessTokens } from './access-tokens.js';
import { accountDisabled } from './account-errors.js';
import { apiKeyId, apiKeyMatches } from './api-keys.js';
import type { Principal, Role } from './principal.js';

/** What a token says of itself, before Postgres is asked whether that still holds. */
export type Credential =
  { type: 'session'; id: string; userId: string; expiresAt: number } | { type: 'api-key'; id: string; key: string };

/** A principal, and whether it is time to note that its API key was used. */
export type Checked = { principal: Principal; touchDue: boolean };

type AccountRow = { user_id: string; name: string; email: string; role: Role; disabled: boolean; revoked: boolean };
type KeyRow = AccountRow & { key_hash: Buffer; expires_at: Date | null; expired: boolean; touch_due: boolean };

/** @throws AppError `unauthenticated` or `token_expired`. Asks no database. */
export async function readCredential(accessTokens: AccessTokens, token: string): Promise<Credential> {
  if (token.startsWith('mr_')) {
    const id = apiKeyId(token);
    if (id === null) throw invalidToken();
    return { type: 'api-key', id, key: token };
  }
  const { sessionId, ...claims } = await accessTokens.verify(token);
  return { type: 'session', id: sessionId, ...claims };
}

/**
 * Asks Postgres, in one query by primary keys, who a credential stands for now.
 *
 * @throws AppError `unauthenticated`, `token_expired` or `account_disabled`.
 */
export function checkCredential(sql: Sql, credential: Credential): Promise<Checked> {
  return credential.type === 'session' ? checkSession(sql, credential) : checkApiKey(sql, credential);
}

async function checkSession(sql: Sql, credential: Credential & { type: 'session' }): Promise<Checked> {
  const { rows } = await sql.query<AccountRow>({
    name: 'principal-by-session',
    text: `SELECT u.id AS user_id, u.name, u.email, u.role, u.disabled_at IS NOT NULL AS disabled,
                  s.revoked_at IS NOT NULL AS revoked
           FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1 AND s.user_id = $2`,
    values: [credential.id, credential.userId],
  });
  return { principal: toPrincipal(rows[0], credential, credential.expiresAt), touchDue: false };
}

async function checkApiKey(sql: Sql, credential: Credential & { type: 'api-key' }): Promise<Checked> {
  const { rows } = await sql.query<KeyRow>({
    name: 'principal-by-api-key',
    text: `SELECT u.id AS user_id, u.name, u.email, u.role, u.disabled_at IS NOT NULL AS disabled,
                  k.revoked_at IS NOT NULL AS revoked, k.key_hash, k.expires_at,
                  coalesce(k.expires_at <= now(), false) AS expired,
                  coalesce(k.last_used_at < now() - interval '1 minute', true) AS touch_due
           FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.id = $1`,
    values: [credential.id],
  });
  const [row] = rows;
  // Before anything is said about the key or its account, its holder has to have shown the secret.
  if (!row || !apiKeyMatches(credential.key, row.key_hash)) throw invalidToken();
  const principal = toPrincipal(row, credential, row.expires_at?.getTime() ?? null);
  if (row.expired) throw tokenExpired();
  return { principal, touchDue: row.touch_due };
}

function toPrincipal(row: AccountRow | undefined, { type, id }: Credential, expiresAt: number | null): Principal {
  if (!row) throw invalidToken();
  // A disabled account's sessions are ended too: the reason that helps its owner comes first.
  if (row.disabled) throw accountDisabled();
  if (row.revoked) throw invalidToken();
  return { userId: row.user_id, name: row.name, email: row.email, role: row.role, credential: { type, id }, expiresAt };
}
