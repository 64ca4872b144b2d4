import { expect, test } from 'vitest';
import { actions, can, requirePermission } from './policy.js';
import { roles } from './principal.js';

/** The table of the README, under Security; columns as in `roles`. */
const table: Record<string, [admin: boolean, power: boolean, regular: boolean, guest: boolean]> = {
  'knowledge:read': [true, true, true, false],
  'knowledge:create': [true, true, false, false],
  'knowledge:approve': [true, false, false, false],
  'knowledge:manage-all': [true, false, false, false],
  'conversations:create': [true, true, true, false],
  'documents:create': [true, true, true, false],
  'users:look-up': [true, true, true, false],
  'jobs:manage-all': [true, false, false, false],
  'usage:read-all': [true, false, false, false],
};

test('every action of every role is as the table says', () => {
  const actual = actions.map((action) => [action, roles.map((role) => can(role, action))]);
  expect(Object.fromEntries(actual)).toEqual(table);
});

test('what is not allowed is forbidden', () => {
  expect(() => requirePermission({ role: 'guest' }, 'conversations:create')).toThrow(
    expect.objectContaining({ code: 'forbidden' }),
  );
  expect(() => requirePermission({ role: 'regular' }, 'conversations:create')).not.toThrow();
});
