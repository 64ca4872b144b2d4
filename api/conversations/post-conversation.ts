import { z } from 'zod';
import { requirePermission } from '../../shared/accounts/policy.js';
import { conversationFields, conversationSchema, createConversation } from '../../shared/conversations/conversation.js';
import { endpoint } from '../endpoint.js';

export const postConversation = endpoint({
  method: 'post',
  path: '/conversations',
  tag: 'conversations',
  auth: 'user',
  summary: 'Open a conversation',
  idempotent: 'transaction',
  body: z.strictObject({
    title: conversationFields.title.default('New conversation'),
    systemPrompt: conversationFields.systemPrompt.optional(),
    model: conversationFields.model.optional(),
    knowledge: conversationFields.knowledge.optional(),
  }),
  response: {
    status: 201,
    description: 'The conversation, with you as its owner and only member.',
    schema: conversationSchema,
  },
  errors: ['forbidden'],
  async handler({ tx, principal, body }) {
    requirePermission(principal, 'conversations:create');
    return createConversation(tx, { ownerId: principal.userId, ...body });
  },
});
