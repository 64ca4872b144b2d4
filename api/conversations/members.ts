import { z } from 'zod';
import { addMember, listMembers, memberSchema, removeMember } from '../../shared/conversations/members.js';
import { rooms } from '../../shared/realtime/events.js';
import { tellInTime } from '../../shared/realtime/tell.js';
import { id } from '../../shared/schemas.js';
import { endpoint, idParams, nothing } from '../endpoint.js';

const memberParams = z.object({ id, userId: id });

export const getMembers = endpoint({
  method: 'get',
  path: '/conversations/:id/members',
  tag: 'conversations',
  auth: 'user',
  summary: 'List the members of a conversation',
  params: idParams,
  response: {
    status: 200,
    description: 'All members, at most 100.',
    schema: z.object({ items: z.array(memberSchema) }),
  },
  errors: ['not_found'],
  async handler({ ctx, principal, params }) {
    return { items: await listMembers(ctx.database, params.id, principal.userId) };
  },
});

export const putMember = endpoint({
  method: 'put',
  path: '/conversations/:id/members/:userId',
  tag: 'conversations',
  auth: 'user',
  summary: 'Add somebody to a conversation',
  description:
    'Only the owner may. A member who reads from now on can be given the whole history later, not the other way round. ' +
    'A reply that is being written starts again, for its new readers too.',
  params: memberParams,
  body: z.strictObject({
    history: z.enum(['all', 'from-now']).describe('What they may read of what was said before.'),
  }),
  response: {
    status: 200,
    description: 'The members as they are now.',
    schema: z.object({ items: z.array(memberSchema) }),
  },
  errors: ['not_found', 'forbidden', 'conflict'],
  async handler({ ctx, principal, params, body }) {
    const { id: conversationId, userId } = params;
    const added = await ctx.database.transaction((tx) =>
      addMember(tx, { conversationId, byUserId: principal.userId, userId, history: body.history }),
    );
    if (added) {
      const room = rooms.conversation(conversationId);
      await tellInTime([
        ctx.publisher.control({ type: 'access-changed', room, userId }),
        ctx.publisher.emit(room, 'member:added', { conversationId, userId }),
      ]);
    }
    return { items: await listMembers(ctx.database, conversationId, principal.userId) };
  },
});

export const deleteMember = endpoint({
  method: 'delete',
  path: '/conversations/:id/members/:userId',
  tag: 'conversations',
  auth: 'user',
  summary: 'Take somebody out of a conversation, or leave it',
  params: memberParams,
  response: { status: 204, description: 'Their open rooms are closed within a second.', schema: nothing },
  errors: ['not_found', 'forbidden', 'conflict'],
  async handler({ ctx, principal, params }) {
    const { id: conversationId, userId } = params;
    await ctx.database.transaction((tx) => removeMember(tx, { conversationId, byUserId: principal.userId, userId }));
    const room = rooms.conversation(conversationId);
    await tellInTime([
      ctx.publisher.control({ type: 'access-revoked', room, userId }),
      ctx.publisher.emit(room, 'member:removed', { conversationId, userId }),
    ]);
  },
});
