import { z } from 'zod';
import { announcePosted } from '../../shared/conversations/announce-posted.js';
import { maxMessageLength } from '../../shared/conversations/limits.js';
import { postMessage } from '../../shared/conversations/post-message.js';
import { messageSchema } from '../../shared/realtime/events.js';
import { line, shownText } from '../../shared/schemas.js';
import { endpoint, idParams } from '../endpoint.js';
import { replayedHeader } from '../middleware/idempotency.js';
import { citedFor } from './cited.js';

/** What people say: the model would refuse white space alone. */
export const messageContent = shownText(maxMessageLength);

export const postMessageEndpoint = endpoint({
  method: 'post',
  path: '/conversations/:id/messages',
  tag: 'messages',
  auth: 'user',
  summary: 'Post a message, and ask for a reply',
  description:
    'Claude replies when `reply` is true; when it is left out, in a conversation of one person or when the message ' +
    'mentions @claude. The reply is accepted, not made yet: read it at GET /messages/{id}/stream or over a socket. ' +
    'Sent again with the same `clientId` or Idempotency-Key, the message and its reply are answered as they are by now; ' +
    'another message under the same one is refused.',
  idempotent: 'own',
  params: idParams,
  body: z.strictObject({
    content: messageContent,
    reply: z.boolean().optional(),
    clientId: line(100)
      .optional()
      .describe('A name that you give the message, unique among your own in the conversation.'),
  }),
  response: {
    status: 202,
    description: 'The message, and the reply that was accepted, if any.',
    schema: z.object({
      message: messageSchema,
      reply: messageSchema.nullable(),
      jobId: z.uuid().nullable().describe('The job that makes the reply: GET /jobs/{id}.'),
    }),
  },
  errors: ['not_found', 'conflict'],
  async handler({ ctx, principal, params, body, idempotency, res }) {
    const message = { conversationId: params.id, authorId: principal.userId, idempotency, ...body };
    const posted = await ctx.oneAtATime(principal.userId, () => postMessage(ctx.database, message));
    announcePosted(ctx, posted);
    if (posted.replayed) res.setHeader(replayedHeader, 'true');
    const reply = posted.reply && (await citedFor(ctx.database, principal, posted.reply));
    return { message: posted.message, reply, jobId: posted.jobId };
  },
});
