import { z } from 'zod';
import {
  conversationPosition,
  conversationSchema,
  getConversation,
  listConversations,
} from '../../shared/conversations/conversation.js';
import { decodeCursor, toPage } from '../../shared/cursor.js';
import { limit, page } from '../../shared/schemas.js';
import { endpoint, idParams } from '../endpoint.js';

export const getConversations = endpoint({
  method: 'get',
  path: '/conversations',
  tag: 'conversations',
  auth: 'user',
  summary: 'List your conversations, the one with the newest message first',
  query: z.strictObject({ limit, cursor: z.string().max(500).optional() }),
  response: { status: 200, description: 'A page of conversations.', schema: page(conversationSchema) },
  errors: ['invalid_cursor'],
  async handler({ ctx, principal, query }) {
    const after = decodeCursor(query.cursor, conversationPosition);
    const found = await listConversations(ctx.database, {
      userId: principal.userId,
      limit: query.limit + 1,
      after,
    });
    return toPage(found, query.limit, (last) => ({ at: last.lastMessageAt, id: last.id }));
  },
});

export const getOneConversation = endpoint({
  method: 'get',
  path: '/conversations/:id',
  tag: 'conversations',
  auth: 'user',
  summary: 'Read a conversation',
  params: idParams,
  response: { status: 200, description: 'The conversation.', schema: conversationSchema },
  errors: ['not_found'],
  handler: ({ ctx, principal, params }) => getConversation(ctx.database, params.id, principal.userId),
});
