import { z } from 'zod';
import { logIn } from '../../shared/accounts/log-in.js';
import { endpoint } from '../endpoint.js';
import { addressOf, toTokens } from './present.js';
import { email, password, signedInSchema } from './schemas.js';

export const logInEndpoint = endpoint({
  method: 'post',
  path: '/auth/login',
  tag: 'auth',
  auth: 'public',
  summary: 'Sign in with e-mail and password',
  description: 'Wrong passwords are counted by account and by address; too many of them are answered 429.',
  body: z.strictObject({ email, password }),
  response: { status: 200, description: 'A new session.', schema: signedInSchema },
  errors: ['invalid_credentials', 'account_disabled'],
  async handler({ ctx, body, req, res }) {
    const { user, session } = await logIn(
      { database: ctx.database, ...ctx.accounts },
      { ...body, address: addressOf(req) },
      ctx.config.accounts.refreshTokenSeconds,
    );
    res.setHeader('cache-control', 'no-store');
    return { user, ...(await toTokens(ctx.accounts.accessTokens, user.id, session)) };
  },
});
