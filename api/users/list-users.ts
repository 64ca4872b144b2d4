import { z } from 'zod';
import { listUsers } from '../../shared/accounts/users.js';
import { decodeCursor, toPage } from '../../shared/cursor.js';
import { limit, line, page } from '../../shared/schemas.js';
import { userSchema } from '../auth/schemas.js';
import { endpoint } from '../endpoint.js';

const place = z.strictObject({ id: z.uuid() });

export const getUsers = endpoint({
  method: 'get',
  path: '/users',
  tag: 'users',
  auth: 'admin',
  summary: 'All accounts',
  query: z.strictObject({
    q: line(100).optional().describe('Part of a name or an e-mail.'),
    cursor: z.string().max(500).optional(),
    limit,
  }),
  response: { status: 200, description: 'A page of accounts, oldest first.', schema: page(userSchema) },
  errors: ['forbidden', 'invalid_cursor'],
  async handler({ ctx, query }) {
    const after = decodeCursor(query.cursor, place)?.id ?? null;
    const found = await listUsers(ctx.database, { q: query.q, after, limit: query.limit + 1 });
    return toPage(found, query.limit, (last) => ({ id: last.id }));
  },
});
