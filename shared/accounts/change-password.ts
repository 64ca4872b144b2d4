import type { Database } from '../database.js';
import { invalidCredentials } from './account-errors.js';
import type { Attempt, Passwords } from './passwords.js';
import { endSessions } from './sessions.js';

type Deps = { database: Database; passwords: Passwords };

/**
 * Changes an account's password and ends its sessions, but for the one that asked. API keys stay: they are
 * revoked one by one.
 *
 * @param attempt counts wrong current passwords like those of a login: a stolen session must not try them all.
 * @throws AppError `invalid_credentials` when the current password is wrong, or was changed meanwhile;
 * `rate_limited`.
 */
export async function changePassword(
  { database, passwords }: Deps,
  change: { userId: string; sessionId: string | null; currentPassword: string; newPassword: string },
  attempt: Attempt,
): Promise<void> {
  const { rows } = await database.query<{ password_hash: string }>('SELECT password_hash FROM users WHERE id = $1', [
    change.userId,
  ]);
  const stored = rows[0]?.password_hash ?? null;
  if (!(await passwords.verify(stored, change.currentPassword, attempt))) throw invalidCredentials();
  const replacement = await passwords.hash(change.newPassword);
  await database.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      'UPDATE users SET password_hash = $2, updated_at = now() WHERE id = $1 AND password_hash = $3',
      [change.userId, replacement, stored],
    );
    if (rowCount !== 1) throw invalidCredentials();
    await endSessions(tx, change.userId, change.sessionId);
  });
}
