import type { Database, Sql } from '../database.js';
import { AppError, notFound } from '../errors.js';
import { lockAdmins } from './admin-lock.js';
import type { Role } from './principal.js';
import { endSessions } from './sessions.js';
import { toUserView, userColumns, type UserRow, type UserView } from './user.js';

/**
 * Accounts in the order of their making.
 *
 * @param filter `q` is looked for in name and e-mail, as plain text in any case; `after` is the id of the last
 * account of the page before.
 */
export async function listUsers(
  sql: Sql,
  filter: { q?: string | undefined; after: string | null; limit: number },
): Promise<UserView[]> {
  const { rows } = await sql.query<UserRow>(
    `SELECT ${userColumns} FROM users
     WHERE ($1::uuid IS NULL OR id > $1)
       AND ($2::text IS NULL OR strpos(lower(name), lower($2)) > 0 OR strpos(email, lower($2)) > 0)
     ORDER BY id LIMIT $3`,
    [filter.after, filter.q ?? null, filter.limit],
  );
  return rows.map(toUserView);
}

export async function findUser(database: Database, id: string): Promise<UserView | null> {
  const user = await database.prisma.user.findUnique({ where: { id } });
  return user && toUserView({ ...user, disabled_at: user.disabledAt, created_at: user.createdAt });
}

/** Gives an account another name. */
export async function renameUser(database: Database, id: string, name: string): Promise<UserView> {
  const user = await database.prisma.user.update({ where: { id }, data: { name } });
  return toUserView({ ...user, disabled_at: user.disabledAt, created_at: user.createdAt });
}

/** The enabled account with exactly this e-mail: what it takes to add somebody, and no more. */
export async function findUserByEmail(database: Database, email: string): Promise<{ id: string; name: string } | null> {
  return database.prisma.user.findFirst({ where: { email, disabledAt: null }, select: { id: true, name: true } });
}

/**
 * Changes what an account may do. Disabling ends its sessions; its API keys are refused while it is disabled. A new
 * password ends its sessions too: whoever knew the old one is out.
 *
 * @throws AppError `not_found`; `conflict` when no enabled admin would be left.
 */
export function changeUser(
  database: Database,
  userId: string,
  change: { role?: Role | undefined; disabled?: boolean | undefined; passwordHash?: string | undefined },
): Promise<UserView> {
  return database.transaction(async (tx) => {
    await lockAdmins(tx);
    const { rows } = await tx.query<UserRow>(
      `UPDATE users SET role = coalesce($2, role), password_hash = coalesce($4, password_hash), updated_at = now(),
         disabled_at = CASE $3::boolean WHEN true THEN coalesce(disabled_at, now()) WHEN false THEN NULL ELSE disabled_at END
       WHERE id = $1 RETURNING ${userColumns}`,
      [userId, change.role ?? null, change.disabled ?? null, change.passwordHash ?? null],
    );
    const [row] = rows;
    if (!row) throw notFound('The account');
    if (change.role !== undefined || change.disabled) await requireAdminLeft(tx);
    if (change.disabled || change.passwordHash !== undefined) await endSessions(tx, userId);
    return toUserView(row);
  });
}

async function requireAdminLeft(tx: Sql): Promise<void> {
  const { rows } = await tx.query(`SELECT 1 FROM users WHERE role = 'admin' AND disabled_at IS NULL LIMIT 1`);
  if (rows.length === 0) throw new AppError('conflict', 'This is the last enabled admin: make another one first.');
}

export async function isDisabled(sql: Sql, userId: string): Promise<boolean> {
  const { rowCount } = await sql.query('SELECT 1 FROM users WHERE id = $1 AND disabled_at IS NOT NULL', [userId]);
  return rowCount === 1;
}
