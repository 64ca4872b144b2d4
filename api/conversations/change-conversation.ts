import { z } from 'zod';
import {
  conversationFields,
  conversationSchema,
  deleteConversation,
  updateConversation,
} from '../../shared/conversations/conversation.js';
import { conversationOrderKey } from '../../shared/conversations/post-message.js';
import { rooms } from '../../shared/realtime/events.js';
import { tellInTime } from '../../shared/realtime/tell.js';
import { endpoint, idParams, nothing } from '../endpoint.js';
import { stopJobs } from '../stop-jobs.js';

export const patchConversation = endpoint({
  method: 'patch',
  path: '/conversations/:id',
  tag: 'conversations',
  auth: 'user',
  summary: 'Change a conversation',
  description:
    'Any member may change the title; the system prompt, the model and the use of knowledge are the owner’s to change.',
  params: idParams,
  body: z
    .strictObject({
      title: conversationFields.title.optional(),
      systemPrompt: conversationFields.systemPrompt.optional(),
      model: conversationFields.model.optional(),
      knowledge: conversationFields.knowledge.optional(),
    })
    .refine((change) => Object.keys(change).length > 0, 'must change something'),
  response: { status: 200, description: 'The conversation as it is now.', schema: conversationSchema },
  errors: ['not_found', 'forbidden'],
  handler: ({ ctx, principal, params, body }) =>
    updateConversation(ctx.database, { id: params.id, userId: principal.userId }, body),
});

export const deleteOneConversation = endpoint({
  method: 'delete',
  path: '/conversations/:id',
  tag: 'conversations',
  auth: 'user',
  summary: 'Delete a conversation with all its messages, for everybody',
  params: idParams,
  response: { status: 204, description: 'It is gone; replies that were being written are stopped.', schema: nothing },
  errors: ['not_found', 'forbidden'],
  async handler({ ctx, principal, params }) {
    const orderKey = conversationOrderKey(params.id);
    const gone = await ctx.database.transaction((tx) =>
      deleteConversation(tx, { id: params.id, userId: principal.userId, orderKey }),
    );
    const room = rooms.conversation(params.id);
    await tellInTime([
      ...stopJobs(ctx, gone.cancelled),
      ctx.publisher.emit(room, 'conversation:deleted', { conversationId: params.id }),
      ...gone.memberIds.map((userId) => ctx.publisher.control({ type: 'access-revoked', room, userId })),
    ]);
  },
});
