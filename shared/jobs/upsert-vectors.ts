import { z } from 'zod';
import { defineJob } from './contract.js';

/** Puts the passages `from` to `to` (not included) into the vector store. */
export const upsertVectors = defineJob({
  kind: 'upsert-vectors',
  queue: 'vectors',
  payload: z.object({ versionId: z.uuid(), from: z.int().nonnegative(), to: z.int().positive() }),
  maxFailures: 12,
  repeatable:
    'Ids of points derive from version and passage, so a repeat overwrites; the row is read again afterwards.',
});
