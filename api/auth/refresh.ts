import { z } from 'zod';
import { announceAccountChange } from '../../shared/accounts/announce-change.js';
import { refreshSession } from '../../shared/accounts/refresh.js';
import { AppError } from '../../shared/errors.js';
import { endpoint } from '../endpoint.js';
import { toTokens } from './present.js';
import { tokensSchema } from './schemas.js';

export const refreshEndpoint = endpoint({
  method: 'post',
  path: '/auth/refresh',
  tag: 'auth',
  auth: 'public',
  summary: 'Exchange a refresh token for new tokens',
  description:
    'Each refresh token is good for one exchange. A second use ends the session, because it cannot be told who of ' +
    'the two holds a stolen token; so a client refreshes once at a time, and signs in again when the answer was lost.',
  body: z.strictObject({ refreshToken: z.string().min(1).max(200) }),
  response: { status: 200, description: 'The next tokens of the session.', schema: tokensSchema },
  errors: ['unauthenticated', 'token_expired', 'token_reused', 'account_disabled'],
  async handler({ ctx, body, res }) {
    const result = await refreshSession(ctx.database, body.refreshToken, ctx.config.accounts.refreshTokenSeconds);
    if (result.outcome === 'reused') {
      announceAccountChange(ctx, result.userId);
      throw new AppError(
        'token_reused',
        'The refresh token was used before; its session has ended. Please sign in again.',
      );
    }
    res.setHeader('cache-control', 'no-store');
    return toTokens(ctx.accounts.accessTokens, result.userId, result);
  },
});
