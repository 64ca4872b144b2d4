import { z } from 'zod';
import { announceUpdated } from '../../shared/conversations/announce-updated.js';
import { cancelReply } from '../../shared/conversations/cancel-reply.js';
import { regenerateReply } from '../../shared/conversations/regenerate-reply.js';
import { messageSchema, rooms } from '../../shared/realtime/events.js';
import { endpoint, idParams } from '../endpoint.js';
import { citedFor } from './cited.js';

export const postCancel = endpoint({
  method: 'post',
  path: '/messages/:id/cancel',
  tag: 'messages',
  auth: 'user',
  summary: 'Cancel a reply',
  description: 'A running reply stops within a second and keeps what it said. One that has ended stays as it is.',
  params: idParams,
  response: { status: 202, description: 'The reply as it is at this moment.', schema: messageSchema },
  errors: ['not_found', 'conflict'],
  handler: async ({ ctx, principal, params }) =>
    citedFor(ctx.database, principal, await cancelReply(ctx, principal.userId, params.id)),
});

export const postRegenerate = endpoint({
  method: 'post',
  path: '/messages/:id/regenerate',
  tag: 'messages',
  auth: 'user',
  summary: 'Ask for another reply to the same message',
  idempotent: 'transaction',
  params: idParams,
  response: { status: 202, description: 'The reply that was accepted.', schema: z.object({ reply: messageSchema }) },
  errors: ['not_found', 'conflict', 'reply_running'],
  async handler({ ctx, tx, afterCommit, principal, params }) {
    const { reply, superseded, ready } = await regenerateReply(tx, principal.userId, params.id);
    afterCommit(() => {
      ctx.dispatcher.kick(ready);
      const { conversationId } = reply;
      const room = rooms.conversation(conversationId);
      announceUpdated(ctx, superseded);
      void ctx.publisher.emit(room, 'message:created', { conversationId, message: reply }, reply.seq);
    });
    return { reply };
  },
});
