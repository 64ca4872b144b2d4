import { z } from 'zod';
import { requirePermission } from '../../shared/accounts/policy.js';
import { findUserByEmail } from '../../shared/accounts/users.js';
import { notFound } from '../../shared/errors.js';
import { email } from '../auth/schemas.js';
import { endpoint } from '../endpoint.js';

export const lookUpUser = endpoint({
  method: 'get',
  path: '/users/lookup',
  tag: 'users',
  auth: 'user',
  summary: 'Find somebody by e-mail, to add them',
  description: 'The exact e-mail only: this is no directory. Guests may not look people up.',
  query: z.strictObject({ email }),
  response: {
    status: 200,
    description: 'Who has this e-mail.',
    schema: z.object({ id: z.uuid(), name: z.string() }).meta({ id: 'Person' }),
  },
  errors: ['forbidden', 'not_found'],
  async handler({ ctx, principal, query }) {
    requirePermission(principal, 'users:look-up');
    const person = await findUserByEmail(ctx.database, query.email);
    if (!person) throw notFound('An account with this e-mail');
    return person;
  },
});
