import { z } from 'zod';
import { defineJob } from './contract.js';

/** Makes the points of an entry or a document say what its row says: who may find them. First in line. */
export const syncPayload = defineJob({
  kind: 'sync-payload',
  queue: 'vectors',
  payload: z.union([z.object({ entryId: z.uuid() }), z.object({ documentId: z.uuid() })]),
  maxFailures: 20,
  implied: true,
  urgent: true,
  repeatable: 'It writes what the row says, and reads the row again afterwards.',
});
