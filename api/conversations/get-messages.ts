import { z } from 'zod';
import { requireMembership } from '../../shared/conversations/access.js';
import { listMessages, searchMessages } from '../../shared/conversations/list-messages.js';
import { findReadableMessage, presentMessage } from '../../shared/conversations/message.js';
import { decodeCursor, toPage } from '../../shared/cursor.js';
import { notFound } from '../../shared/errors.js';
import { withCitations } from '../../shared/knowledge/citations.js';
import { messageSchema } from '../../shared/realtime/events.js';
import { id, limit, page, text } from '../../shared/schemas.js';
import { endpoint, idParams } from '../endpoint.js';
import { citedFor } from './cited.js';

const cursor = z.string().max(500).optional();

export const getMessages = endpoint({
  method: 'get',
  path: '/conversations/:id/messages',
  tag: 'messages',
  auth: 'user',
  summary: 'Read the messages of a conversation',
  params: idParams,
  query: z.strictObject({
    limit,
    cursor,
    order: z.enum(['asc', 'desc']).default('desc').describe('Newest first unless told.'),
  }),
  response: { status: 200, description: 'A page of messages.', schema: page(messageSchema) },
  errors: ['not_found', 'invalid_cursor'],
  async handler({ ctx, principal, params, query }) {
    const membership = await requireMembership(ctx.database, params.id, principal.userId);
    const after = decodeCursor(query.cursor, z.int32().nonnegative());
    const { order, limit } = query;
    const found = await listMessages(ctx.database, membership, { order, limit: limit + 1, after });
    const { items, nextCursor } = toPage(found, limit, (last) => last.seq);
    return { items: await withCitations(ctx.database, [principal], items), nextCursor };
  },
});

export const getMessage = endpoint({
  method: 'get',
  path: '/messages/:id',
  tag: 'messages',
  auth: 'user',
  summary: 'Read a message or a reply',
  params: idParams,
  response: { status: 200, description: 'The message.', schema: messageSchema },
  errors: ['not_found'],
  async handler({ ctx, principal, params }) {
    const message = await findReadableMessage(ctx.database, params.id, principal.userId);
    if (!message) throw notFound('The message');
    return citedFor(ctx.database, principal, presentMessage(message));
  },
});

export const getMessagesSearch = endpoint({
  method: 'get',
  path: '/messages/search',
  tag: 'messages',
  auth: 'user',
  summary: 'Search every message that you may read, newest first',
  query: z.strictObject({
    q: text(500).describe('Words, "a phrase", or, -not.'),
    conversationId: id.optional(),
    limit,
    cursor,
  }),
  response: {
    status: 200,
    description: 'A page of messages, each with the passage that was found.',
    schema: page(z.object({ message: messageSchema, snippet: z.string() })),
  },
  errors: ['invalid_cursor'],
  async handler({ ctx, principal, query }) {
    const before = decodeCursor(query.cursor, z.uuid());
    const wanted = { ...query, limit: query.limit + 1, userId: principal.userId, before };
    const found = await searchMessages(ctx.database, wanted);
    const { items, nextCursor } = toPage(found, query.limit, (last) => last.message.id);
    const messages = await withCitations(
      ctx.database,
      [principal],
      items.map(({ message }) => message),
    );
    const cited = items.map((item, index) => ({ ...item, message: messages[index] ?? item.message }));
    return { items: cited, nextCursor };
  },
});
