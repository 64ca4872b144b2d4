import { z } from 'zod';
import { announceAccountChange } from '../../shared/accounts/announce-change.js';
import { roles } from '../../shared/accounts/principal.js';
import { changeUser } from '../../shared/accounts/users.js';
import { userSchema } from '../auth/schemas.js';
import { endpoint, idParams } from '../endpoint.js';

const changes = z
  .strictObject({ role: z.enum(roles).optional(), disabled: z.boolean().optional() })
  .refine((body) => body.role !== undefined || body.disabled !== undefined, 'role or disabled must be given');

export const patchUser = endpoint({
  method: 'patch',
  path: '/users/:id',
  tag: 'users',
  auth: 'admin',
  summary: 'Change the role of an account, disable or enable it',
  description:
    'Takes effect within a second, also on open sockets. Disabling ends the sessions; API keys are refused until ' +
    'the account is enabled again. The last enabled admin stays one.',
  params: idParams,
  body: changes,
  response: { status: 200, description: 'The account as it is now.', schema: userSchema },
  errors: ['forbidden', 'not_found', 'conflict'],
  async handler({ ctx, params, body }) {
    const user = await changeUser(ctx.database, params.id, body);
    announceAccountChange(ctx, user.id);
    return user;
  },
});
