import { z } from 'zod';
import { defineJob } from './contract.js';

/** Claude's edit of a document: streams the model, stores a suggestion once. */
export const editDocument = defineJob({
  kind: 'edit-document',
  queue: 'replies',
  payload: z.object({ suggestionId: z.uuid() }),
  maxFailures: 6,
  repeatable: 'The suggestion is stored once, under the claim; a later attempt writes it from the start.',
});
