import { randomBytes, timingSafeEqual } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { Database, Sql } from '../database.js';
import { AppError } from '../errors.js';
import { hashToken } from './sessions.js';

/** Keys of one account that are not revoked, at most. */
const maxKeys = 50;

const keyPattern = /^mr_([0-9a-f]{32})_([\w-]{43})$/;

/** What can be shown of a key after it was made. Times are ISO strings. */
export type ApiKeyView = {
  id: string;
  name: string;
  hint: string;
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
};

type ApiKeyRow = {
  id: string;
  name: string;
  hint: string;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
};

const columns = 'id, name, hint, created_at, expires_at, last_used_at';

/** The id in a key, or null for what does not look like one. The id finds the row, the secret proves the holder. */
export function apiKeyId(key: string): string | null {
  const id = keyPattern.exec(key)?.[1];
  return id ? id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') : null;
}

/** Compares in constant time, so that how long it takes tells nothing about the stored hash. */
export function apiKeyMatches(key: string, storedHash: Uint8Array): boolean {
  const given = hashToken(key);
  return given.length === storedHash.length && timingSafeEqual(given, storedHash);
}

/**
 * Makes a key. The whole key is in this answer and nowhere else.
 *
 * @throws AppError `conflict` when the account has {@link maxKeys} keys.
 */
export async function createApiKey(
  database: Database,
  owner: { userId: string; name: string; expiresAt: Date | null },
): Promise<ApiKeyView & { key: string }> {
  const id = uuidv7();
  const key = `mr_${id.replaceAll('-', '')}_${randomBytes(32).toString('base64url')}`;
  return database.transaction(async (tx) => {
    // Else requests that are made at once all count the keys that were there before any of them.
    await tx.query('SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE', [owner.userId]);
    const { rows } = await tx.query<ApiKeyRow>(
      `INSERT INTO api_keys (id, user_id, name, key_hash, hint, expires_at)
       SELECT $1, $2, $3, $4, $5, $6
       WHERE (SELECT count(*) FROM api_keys WHERE user_id = $2 AND revoked_at IS NULL) < $7
       RETURNING ${columns}`,
      [id, owner.userId, owner.name, hashToken(key), key.slice(-4), owner.expiresAt, maxKeys],
    );
    const [row] = rows;
    if (!row) throw new AppError('conflict', `An account has at most ${maxKeys} API keys. Revoke one first.`);
    return { ...toView(row), key };
  });
}

/** The keys of an account that are not revoked, newest first. */
export async function listApiKeys(sql: Sql, userId: string): Promise<ApiKeyView[]> {
  const { rows } = await sql.query<ApiKeyRow>(
    `SELECT ${columns} FROM api_keys WHERE user_id = $1 AND revoked_at IS NULL ORDER BY id DESC`,
    [userId],
  );
  return rows.map(toView);
}

/** @returns false when the account has no such key that is not revoked already. */
export async function revokeApiKey(sql: Sql, userId: string, id: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    'UPDATE api_keys SET revoked_at = now() WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL',
    [id, userId],
  );
  return rowCount === 1;
}

/** Notes that a key was used, at most once a minute however many processes see it. */
export async function touchApiKey(sql: Sql, id: string): Promise<void> {
  await sql.query(
    `UPDATE api_keys SET last_used_at = now()
     WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
    [id],
  );
}

function toView(row: ApiKeyRow): ApiKeyView {
  return {
    id: row.id,
    name: row.name,
    hint: row.hint,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
  };
}
