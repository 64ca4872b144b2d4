import { z } from 'zod';
import { defineJob } from './contract.js';

/** Makes the vectors of the passages `from` to `to` (not included) that have none yet. */
export const embedChunks = defineJob({
  kind: 'embed-chunks',
  queue: 'embeddings',
  payload: z.object({ versionId: z.uuid(), from: z.int().nonnegative(), to: z.int().positive() }),
  // A service that counts requests by the minute, or is away for a while, must not end the work of a night.
  maxFailures: 12,
  repeatable: 'Vectors are kept by model and content hash: those that are there are not made again.',
});
