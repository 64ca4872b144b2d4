import type { Role } from './principal.js';

/** An account as its owner and admins see it. Times are ISO strings. */
export type UserView = {
  id: string;
  email: string;
  name: string;
  role: Role;
  disabled: boolean;
  createdAt: string;
};

/** The columns of `users` that {@link toUserView} reads. */
export type UserRow = {
  id: string;
  email: string;
  name: string;
  role: string;
  disabled_at: Date | null;
  created_at: Date;
};

export const userColumns = 'id, email, name, role, disabled_at, created_at';

export function toUserView(row: UserRow): UserView {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    // The column's check constraint holds the same names.
    role: row.role as Role,
    disabled: row.disabled_at !== null,
    createdAt: row.created_at.toISOString(),
  };
}
