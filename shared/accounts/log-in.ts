import type { Database } from '../database.js';
import { accountDisabled, invalidCredentials } from './account-errors.js';
import type { LoginThrottle } from './login-throttle.js';
import type { Passwords } from './passwords.js';
import { openSession, type OpenSession } from './sessions.js';
import { toUserView, userColumns, type UserRow, type UserView } from './user.js';

type Deps = { database: Database; passwords: Passwords; throttle: LoginThrottle };

/**
 * Checks an e-mail and a password and opens a session.
 *
 * @param attempt `email` in lower case; `address` is where the guess comes from.
 * @param refreshTokenSeconds how long the session lives without a refresh.
 * @throws AppError `invalid_credentials` (also for an unknown e-mail, after the same time), `rate_limited`, or,
 * to whoever knows the password, `account_disabled`.
 */
export async function logIn(
  { database, passwords, throttle }: Deps,
  attempt: { email: string; password: string; address: string },
  refreshTokenSeconds: number,
): Promise<{ user: UserView; session: OpenSession }> {
  const { rows } = await database.query<UserRow & { password_hash: string }>(
    `SELECT ${userColumns}, password_hash FROM users WHERE email = $1`,
    [attempt.email],
  );
  const [row] = rows;
  const matches = await passwords.verify(row?.password_hash ?? null, attempt.password, throttle.attempt(attempt));
  if (!row || !matches) throw invalidCredentials();
  if (row.disabled_at) throw accountDisabled();
  const session = await openSession(database, { userId: row.id, passwordHash: row.password_hash }, refreshTokenSeconds);
  // Disabled, or its password changed, while the old one was being checked.
  if (!session) throw invalidCredentials();
  return { user: toUserView(row), session };
}
