import { announceAccountChange } from '../../shared/accounts/announce-change.js';
import { endSession } from '../../shared/accounts/sessions.js';
import { endpoint, nothing } from '../endpoint.js';
import { requireSession } from './require-session.js';

export const logOutEndpoint = endpoint({
  method: 'post',
  path: '/auth/logout',
  tag: 'auth',
  auth: 'user',
  summary: 'End the session of the access token',
  response: {
    status: 204,
    description: 'Access and refresh tokens of the session are refused from now on.',
    schema: nothing,
  },
  errors: ['forbidden'],
  async handler({ ctx, principal }) {
    await endSession(ctx.database, requireSession(principal, 'log out'));
    announceAccountChange(ctx, principal.userId);
  },
});
