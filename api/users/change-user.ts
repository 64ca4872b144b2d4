import { z } from 'zod';
import { announceAccountChange } from '../../shared/accounts/announce-change.js';
import { roles } from '../../shared/accounts/principal.js';
import { changeUser } from '../../shared/accounts/users.js';
import { newPassword, userSchema } from '../auth/schemas.js';
import { endpoint, idParams } from '../endpoint.js';
import { stopWork } from './stop-work.js';

const changes = z
  .strictObject({
    role: z.enum(roles).optional(),
    disabled: z.boolean().optional(),
    newPassword: newPassword.optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'role, disabled or newPassword must be given');

export const patchUser = endpoint({
  method: 'patch',
  path: '/users/:id',
  tag: 'users',
  auth: 'admin',
  summary: 'Change the role of an account, disable or enable it, give it a new password',
  description:
    'Takes effect within a second, also on open sockets. Disabling ends the sessions; API keys are refused until ' +
    'the account is enabled again. The replies and edits that it has asked of Claude end for good: those that wait are ' +
    'cancelled, those that run stop and keep what they said. Its files go on being read. The last enabled admin stays one. A new password, for somebody who has lost ' +
    'theirs, ends the sessions as well.',
  params: idParams,
  body: changes,
  response: { status: 200, description: 'The account as it is now.', schema: userSchema },
  errors: ['forbidden', 'not_found', 'conflict'],
  async handler({ ctx, params, body: { newPassword: password, ...change } }) {
    const passwordHash = password === undefined ? undefined : await ctx.accounts.passwords.hash(password);
    const user = await changeUser(ctx.database, params.id, { ...change, passwordHash });
    announceAccountChange(ctx, user.id);
    if (user.disabled) await stopWork(ctx, user.id);
    return user;
  },
});
