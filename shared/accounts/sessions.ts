import { createHash, randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Sql } from '../database.js';

/** A session with the only copy of its newest refresh token. */
export type OpenSession = { sessionId: string; refreshToken: string };

/** An opaque refresh token; Postgres keeps its hash. */
export function newRefreshToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What is stored of a refresh token or an API key. 256 random bits need no slow hash: nobody can try them all. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * Opens a session of an account that still is as it was when its password was checked: enabled, and with the
 * same password. The row is locked for that, so a change at the same moment is either seen here, or ends this
 * session with the others.
 *
 * @param lifetimeSeconds how long the refresh token is accepted.
 * @returns null when the account has changed.
 */
export async function openSession(
  sql: Sql,
  account: { userId: string; passwordHash: string },
  lifetimeSeconds: number,
): Promise<OpenSession | null> {
  const sessionId = uuidv7();
  const refreshToken = newRefreshToken();
  const { rowCount } = await sql.query(
    `WITH account AS (
       SELECT id FROM users WHERE id = $2 AND password_hash = $3 AND disabled_at IS NULL FOR SHARE
     ), session AS (
       INSERT INTO sessions (id, user_id, expires_at)
       SELECT $1, id, now() + make_interval(secs => $4) FROM account RETURNING id
     )
     INSERT INTO refresh_tokens (id, session_id, token_hash) SELECT $5, id, $6 FROM session`,
    [sessionId, account.userId, account.passwordHash, lifetimeSeconds, uuidv7(), hashToken(refreshToken)],
  );
  return rowCount === 1 ? { sessionId, refreshToken } : null;
}

/** Ends one session: its access tokens and its refresh token are refused from now on. */
export async function endSession(sql: Sql, sessionId: string): Promise<void> {
  await sql.query('UPDATE sessions SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL', [sessionId]);
}

/** Ends the sessions of an account, but for the one that is to stay. */
export async function endSessions(sql: Sql, userId: string, exceptSessionId: string | null = null): Promise<void> {
  await sql.query(
    `UPDATE sessions SET revoked_at = now()
     WHERE user_id = $1 AND revoked_at IS NULL AND id IS DISTINCT FROM $2::uuid`,
    [userId, exceptSessionId],
  );
}

/**
 * Deletes up to `batch` sessions that ended more than a day ago, with their refresh tokens; for the job `clean`.
 *
 * @returns how many were deleted; fewer than `batch` means that none is left.
 */
export async function deleteEndedSessions(sql: Sql, batch: number): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM sessions WHERE id IN (
       SELECT id FROM sessions
       WHERE expires_at < now() - interval '1 day' OR revoked_at < now() - interval '1 day'
       LIMIT $1)`,
    [batch],
  );
  return rowCount ?? 0;
}

/**
 * Deletes up to `batch` used refresh tokens that are older than a session lives without a refresh; for the job
 * `clean`. Until then they stay, because presenting one is what shows that it was stolen.
 */
export async function deleteUsedRefreshTokens(sql: Sql, olderThanSeconds: number, batch: number): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM refresh_tokens WHERE id IN (
       SELECT id FROM refresh_tokens WHERE used_at < now() - make_interval(secs => $1) LIMIT $2)`,
    [olderThanSeconds, batch],
  );
  return rowCount ?? 0;
}
