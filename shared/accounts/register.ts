import { v7 as uuidv7 } from 'uuid';
import type { Database, Sql } from '../database.js';
import { AppError } from '../errors.js';
import { lockAdmins } from './admin-lock.js';
import type { Passwords } from './passwords.js';
import type { Role } from './principal.js';
import { openSession, type OpenSession } from './sessions.js';
import { toUserView, userColumns, type UserRow, type UserView } from './user.js';

export type Registration = { email: string; name: string; password: string };

type Deps = { database: Database; passwords: Pick<Passwords, 'hash'> };

/**
 * Makes an account and its first session. The very first account becomes admin, later ones get `defaultRole`.
 *
 * @param registration its `email` in lower case, as the schemas of the routes make it.
 * @throws AppError `email_taken`.
 */
export async function register(
  { database, passwords }: Deps,
  registration: Registration,
  settings: { defaultRole: Role; refreshTokenSeconds: number },
): Promise<{ user: UserView; session: OpenSession }> {
  const passwordHash = await passwords.hash(registration.password);
  return database.transaction(async (tx) => {
    await lockAdmins(tx);
    const user = await insertUser(tx, { ...registration, passwordHash }, settings.defaultRole);
    if (!user) throw new AppError('email_taken', 'There is an account with this e-mail already.');
    const session = await openSession(tx, { userId: user.id, passwordHash }, settings.refreshTokenSeconds);
    if (!session) throw new Error('the account that was just made is not there');
    return { user, session };
  });
}

async function insertUser(
  tx: Sql,
  account: { email: string; name: string; passwordHash: string },
  defaultRole: Role,
): Promise<UserView | null> {
  const { rows } = await tx.query<UserRow>(
    `INSERT INTO users (id, email, name, password_hash, role)
     SELECT $1, $2, $3, $4, CASE WHEN EXISTS (SELECT 1 FROM users) THEN $5 ELSE 'admin' END
     ON CONFLICT (email) DO NOTHING RETURNING ${userColumns}`,
    [uuidv7(), account.email, account.name, account.passwordHash, defaultRole],
  );
  return rows[0] ? toUserView(rows[0]) : null;
}
