import { z } from 'zod';
import { defineJob } from './contract.js';

/** Makes what the index has of a document agree with its text: passages, vectors, points. */
export const indexDocument = defineJob({
  kind: 'index-document',
  queue: 'documents',
  payload: z.object({ documentId: z.uuid() }),
  // A service that counts requests by the minute, or is away for a while, must not leave a text unfound.
  maxFailures: 12,
  implied: true,
  repeatable:
    'Passages that are there already stay, vectors are kept by content hash, points have the ids of their passages; ' +
    'who has written points looks afterwards whether they are still to be there.',
});

/** Of one document one text is indexed at a time. */
export const indexOrderKey = (documentId: string): string => `index ${documentId}`;
