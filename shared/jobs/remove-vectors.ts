import { z } from 'zod';
import { defineJob } from './contract.js';

/** Removes what is left of a deleted entry or document: points, passages, vectors and files that nothing else uses. */
export const removeVectors = defineJob({
  kind: 'remove-vectors',
  queue: 'vectors',
  payload: z.union([z.object({ entryId: z.uuid() }), z.object({ documentId: z.uuid() })]),
  maxFailures: 20,
  implied: true,
  repeatable: 'It deletes; a repeat finds the rest.',
});
