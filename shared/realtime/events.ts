import { z } from 'zod';
import { documentServerEvents } from './document-events.js';
import { attempt, messageSchema, problem } from './message-view.js';

export * from './client-events.js';
export { type MessageView, messageSchema } from './message-view.js';
export { rooms } from './rooms.js';

const id = z.uuid();
const text = z.string();

const replyEnd = z.object({
  conversationId: id,
  messageId: id,
  attempt,
  seq: z.int().describe('One more than that of the last delta, as far as that is known.'),
  message: messageSchema,
});

const person = z.object({ room: text, userId: id, name: text });

/** Server → client: every event with its payload. The AsyncAPI description is made from this table. */
export const serverEvents = {
  'user:joined': person.describe('Somebody opened the room who had it open nowhere before.'),
  'user:left': person.describe('The last connection of somebody left the room.'),
  typing: z
    .object({ conversationId: id, userId: id, name: text, typing: z.boolean() })
    .describe('Somebody types, or has stopped.'),
  'message:created': z
    .object({ conversationId: id, message: messageSchema })
    .describe('Somebody said something, or a reply was asked for: then its state is `queued`.'),
  'message:updated': z
    .object({ conversationId: id, message: messageSchema.omit({ citations: true }).meta({ id: 'ChangedMessage' }) })
    .describe('Edited, deleted, superseded or tried again. Citations are as you have them.'),
  'reply:started': z
    .object({ conversationId: id, messageId: id, attempt })
    .describe('Drop what earlier attempts said.'),
  'reply:delta': z
    .object({
      conversationId: id,
      messageId: id,
      attempt,
      seq: z.int().positive().describe('From 1 in each attempt, without a gap.'),
      text,
    })
    .describe('The next piece of the text. When a seq is missing, ask with reply:resume.'),
  'reply:done': replyEnd.describe('The reply is whole, and stored.'),
  'reply:failed': replyEnd.describe('It was given up; what was said is kept, and the error of `message` says why.'),
  'reply:cancelled': replyEnd.describe('Somebody has cancelled it; what was said is kept.'),
  'job:progress': z
    .object({ jobId: id, state: text, progress: z.unknown() })
    .describe('How a job goes on that you watch; `cancelled` is the last that is told of it.'),
  'job:done': z.object({ jobId: id }).describe('It is done.'),
  'job:failed': z.object({ jobId: id, error: problem }).describe('It has failed. Who tries it again watches it again.'),
  'member:added': z
    .object({ conversationId: id, userId: id })
    .describe('Somebody was added to the conversation, or reads all of it from now on.'),
  'member:removed': z.object({ conversationId: id, userId: id }).describe('Somebody was taken out, or has left.'),
  'conversation:deleted': z.object({ conversationId: id }).describe('It is gone, for everybody.'),
  ...documentServerEvents,
  'access:revoked': z.object({ room: text }).describe('You were taken out of the room.'),
  'room:resync': z
    .object({ room: text })
    .describe('Events may have been missed: join the room again and resume its running replies.'),
  session: z
    .object({
      userId: id,
      name: text,
      expiresAt: z.number().nullable(),
      expiresInMs: z.number().nullable().describe('The same from now on, in milliseconds: your clock may be another.'),
    })
    .describe(
      'Sent after connecting and renewing: who you are, and until when (epoch milliseconds, null without end).',
    ),
  error: z.object({ type: z.string(), message: text }).describe('Why the server is about to end the connection.'),
} as const;

export type ServerEvent = keyof typeof serverEvents;
export type ServerEventPayloads = { [Event in ServerEvent]: z.infer<(typeof serverEvents)[Event]> };

/** What is acknowledged when a client's event was refused; `type` is one of the error codes of the HTTP API. */
export const refusalSchema = z.object({ ok: z.literal(false), error: z.object({ type: z.string(), message: text }) });

export type Refusal = z.infer<typeof refusalSchema>;
