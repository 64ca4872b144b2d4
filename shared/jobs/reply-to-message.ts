import { z } from 'zod';
import { defineJob } from './contract.js';

/** Claude's reply: reads the history, streams the model, saves once. */
export const replyToMessage = defineJob({
  kind: 'reply-to-message',
  queue: 'replies',
  payload: z.object({ messageId: z.uuid() }),
  maxFailures: 6,
  repeatable:
    'The text is saved once, under the claim; a later attempt starts the text again under its own number, ' +
    'and one that finds the text saved only announces it.',
});
