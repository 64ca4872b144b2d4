import { z } from 'zod';
import { id, line, shownText } from '../schemas.js';
import { documentClientEvents } from './document-events.js';
import { messageSchema, problem } from './message-view.js';

/** The longest message of a person, in UTF-16 units: about 25,000 tokens of English. */
export const maxMessageLength = 100_000;

const ok = z.object({ ok: z.literal(true) });
const attempt = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const seq = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

/** Where a running reply stands: what the reader has may be behind it. */
const activeReply = z.object({ messageId: id, attempt, seq });

/**
 * Client → server: every event with its payload, what is acknowledged when it was done, and what it does. A
 * refusal is acknowledged as `refusalSchema`. The AsyncAPI description is made from this table.
 */
export const clientEvents = {
  authenticate: {
    payload: z.strictObject({ token: z.string().min(1).max(4096) }),
    ack: ok.extend({ expiresAt: z.number().nullable() }),
    description: 'Renews the connection with a new token of the same account, before the old one expires.',
  },
  'conversation:join': {
    payload: z.strictObject({ conversationId: id }),
    ack: ok.extend({
      lastSeq: seq.describe('The seq of the newest message: older ones that you lack are read over HTTP.'),
      activeReplies: z.array(activeReply).describe('Ask for the text of each with reply:resume.'),
      present: z.array(z.object({ userId: id, name: z.string() })).describe('Who has the room open; at most 100.'),
    }),
    description: 'Enters the room of a conversation. Joining again is harmless and tells the state anew.',
  },
  'conversation:leave': {
    payload: z.strictObject({ conversationId: id }),
    ack: ok,
    description: 'Leaves the room.',
  },
  typing: {
    payload: z.strictObject({ conversationId: id, typing: z.boolean() }),
    ack: ok,
    description: 'Shows the others that you type; ends by itself after some seconds unless it is sent again.',
  },
  'message:send': {
    payload: z.strictObject({
      conversationId: id,
      content: shownText(maxMessageLength),
      clientId: line(100).describe('Your name for the message: sent again under it, it is the same message.'),
      reply: z
        .boolean()
        .optional()
        .describe(
          'Whether Claude replies; when not told, in a conversation of one person or when @claude is mentioned.',
        ),
    }),
    ack: ok.extend({ message: messageSchema, reply: messageSchema.nullable() }),
    description: 'Posts a message. Acknowledged when it is stored.',
  },
  'reply:cancel': {
    payload: z.strictObject({ messageId: id }),
    ack: ok.extend({ message: messageSchema }),
    description: 'Stops a reply; what it said so far is kept.',
  },
  'reply:resume': {
    payload: z.strictObject({
      messageId: id,
      attempt: attempt.describe('The attempt that you have text of; 0 for none.'),
      after: seq.describe('The seq of the last delta that you have; 0 for none.'),
    }),
    ack: ok.extend({
      attempt,
      fromSeq: z.int().describe('`text` is that of deltas fromSeq to toSeq; none when toSeq is less.'),
      toSeq: z.int(),
      text: z.string(),
      reset: z.boolean().describe('The attempt is another one than yours: drop what you have.'),
      more: z.boolean().describe('Ask again after toSeq.'),
      message: messageSchema.nullable().describe('The reply as it was stored, when it has ended.'),
    }),
    description: 'The text that you lack of a reply, in pages of about 64 K characters.',
  },
  ...documentClientEvents,
  'job:watch': {
    payload: z.strictObject({ jobId: id }),
    ack: ok.extend({
      state: z.string(),
      progress: z.unknown(),
      error: problem.nullable().describe('Why it failed, or waits to be tried again.'),
    }),
    description: 'Enters the room of a job of yours, to hear of its progress and end; with that it is left again.',
  },
} as const;

export type ClientEvent = keyof typeof clientEvents;
export type ClientEventPayload<Event extends ClientEvent> = z.infer<(typeof clientEvents)[Event]['payload']>;
export type ClientEventAck<Event extends ClientEvent> = z.infer<(typeof clientEvents)[Event]['ack']>;
