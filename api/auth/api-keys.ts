import { z } from 'zod';
import { announceAccountChange } from '../../shared/accounts/announce-change.js';
import { createApiKey, listApiKeys, revokeApiKey } from '../../shared/accounts/api-keys.js';
import { AppError, notFound } from '../../shared/errors.js';
import { line, page } from '../../shared/schemas.js';
import { endpoint, idParams, nothing } from '../endpoint.js';
import { requireSession } from './require-session.js';
import { apiKeySchema, newApiKeySchema } from './schemas.js';

export const getApiKeys = endpoint({
  method: 'get',
  path: '/auth/api-keys',
  tag: 'auth',
  auth: 'user',
  summary: 'One’s own API keys',
  response: {
    status: 200,
    description: 'All keys that are not revoked, newest first, on one page.',
    schema: page(apiKeySchema),
  },
  async handler({ ctx, principal }) {
    return { items: await listApiKeys(ctx.database, principal.userId), nextCursor: null };
  },
});

export const postApiKey = endpoint({
  method: 'post',
  path: '/auth/api-keys',
  tag: 'auth',
  auth: 'user',
  summary: 'Make an API key',
  description: 'The key is shown in this answer only. It does what its owner may do, until it expires or is revoked.',
  body: z.strictObject({
    name: line(100),
    expiresAt: z.iso.datetime({ offset: true }).nullish().describe('When it stops working; left out or null: never.'),
  }),
  response: { status: 201, description: 'The key.', schema: newApiKeySchema },
  errors: ['forbidden', 'conflict'],
  async handler({ ctx, principal, body, res }) {
    requireSession(principal, 'make API keys');
    const expiresAt = body.expiresAt ? new Date(body.expiresAt) : null;
    if (expiresAt && expiresAt.getTime() <= Date.now()) {
      const issues = [{ path: 'expiresAt', message: 'must be in the future' }];
      throw new AppError('invalid_request', 'The body has mistakes.', { issues });
    }
    const key = await createApiKey(ctx.database, { userId: principal.userId, name: body.name, expiresAt });
    res.setHeader('cache-control', 'no-store');
    return key;
  },
});

export const deleteApiKey = endpoint({
  method: 'delete',
  path: '/auth/api-keys/:id',
  tag: 'auth',
  auth: 'user',
  summary: 'Revoke an API key',
  params: idParams,
  response: { status: 204, description: 'The key is refused from now on.', schema: nothing },
  errors: ['not_found'],
  async handler({ ctx, principal, params }) {
    if (!(await revokeApiKey(ctx.database, principal.userId, params.id))) throw notFound('The API key');
    announceAccountChange(ctx, principal.userId);
  },
});
