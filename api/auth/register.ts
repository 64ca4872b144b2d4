import { z } from 'zod';
import { register } from '../../shared/accounts/register.js';
import { endpoint } from '../endpoint.js';
import { addressOf, toTokens } from './present.js';
import { email, newPassword, signedInSchema, userName } from './schemas.js';

export const registerEndpoint = endpoint({
  method: 'post',
  path: '/auth/register',
  tag: 'auth',
  auth: 'public',
  summary: 'Make an account',
  description: 'The first account becomes admin; later ones get the default role.',
  body: z.strictObject({ email, name: userName, password: newPassword }),
  response: { status: 201, description: 'The account, signed in.', schema: signedInSchema },
  errors: ['email_taken'],
  async handler({ ctx, body, req, res }) {
    const { accessTokens, passwords, throttle } = ctx.accounts;
    await throttle.registration(addressOf(req));
    const { user, session } = await register({ database: ctx.database, passwords }, body, ctx.config.accounts);
    res.setHeader('cache-control', 'no-store');
    return { user, ...(await toTokens(accessTokens, user.id, session)) };
  },
});
