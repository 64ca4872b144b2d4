import { AppError } from '../errors.js';
import type { Principal, Role } from './principal.js';

const members: readonly Role[] = ['admin', 'power', 'regular'];
const editors: readonly Role[] = ['admin', 'power'];
const admins: readonly Role[] = ['admin'];

/** Which roles may do what. What also depends on a row (own, member, approved) is asked of its domain as well. */
const allowed = {
  'knowledge:read': members,
  'knowledge:create': editors,
  'knowledge:approve': admins,
  'knowledge:manage-all': admins,
  'conversations:create': members,
  'documents:create': members,
  'users:look-up': members,
  'jobs:manage-all': admins,
  'usage:read-all': admins,
} as const;

/** Something that an account may or may not do by its role. */
export type Action = keyof typeof allowed;

/** Every action, for tests. */
export const actions = Object.keys(allowed) as Action[];

/** Whether accounts with `role` may do `action`. */
export function can(role: Role, action: Action): boolean {
  return allowed[action].includes(role);
}

/** @throws AppError `forbidden` when the role of `principal` may not do `action`. */
export function requirePermission(principal: Pick<Principal, 'role'>, action: Action): void {
  if (!can(principal.role, action)) {
    throw new AppError('forbidden', `Accounts with the role ${principal.role} may not do this (${action}).`);
  }
}
