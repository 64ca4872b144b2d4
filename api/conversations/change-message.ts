import { z } from 'zod';
import { deleteMessage, editMessage } from '../../shared/conversations/edit-message.js';
import { announceUpdated } from '../../shared/conversations/announce-updated.js';
import { messageSchema } from '../../shared/realtime/events.js';
import { endpoint, idParams } from '../endpoint.js';
import { messageContent } from './post-message.js';

export const patchMessage = endpoint({
  method: 'patch',
  path: '/messages/:id',
  tag: 'messages',
  auth: 'user',
  summary: 'Change the text of your own message',
  params: idParams,
  body: z.strictObject({ content: messageContent }),
  response: { status: 200, description: 'The message as it is now.', schema: messageSchema },
  errors: ['not_found', 'forbidden', 'conflict'],
  async handler({ ctx, principal, params, body }) {
    const message = await editMessage(ctx.database, { id: params.id, userId: principal.userId }, body.content);
    announceUpdated(ctx, message);
    return message;
  },
});

export const deleteOneMessage = endpoint({
  method: 'delete',
  path: '/messages/:id',
  tag: 'messages',
  auth: 'user',
  summary: 'Delete your own message',
  params: idParams,
  response: { status: 200, description: 'What is left of it: its place, without the text.', schema: messageSchema },
  errors: ['not_found', 'forbidden', 'conflict'],
  async handler({ ctx, principal, params }) {
    const message = await deleteMessage(ctx.database, { id: params.id, userId: principal.userId });
    announceUpdated(ctx, message);
    return message;
  },
});
