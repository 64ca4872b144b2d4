import { z } from 'zod';
import { defineJob } from './contract.js';

/** Merges the log of a document into fewer rows, and keeps versions of its text. */
export const compactDocument = defineJob({
  kind: 'compact-document',
  queue: 'documents',
  payload: z.object({ documentId: z.uuid() }),
  maxFailures: 5,
  implied: true,
  repeatable:
    'It replaces exactly the rows that it has read, in one transaction; when somebody else has replaced one of them ' +
    'meanwhile it changes nothing.',
});
