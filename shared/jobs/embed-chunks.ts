import { z } from 'zod';
import { defineJob } from './contract.js';

/** Makes the vectors of the passages `from` to `to` (not included) that have none yet. */
export const embedChunks = defineJob({
  kind: 'embed-chunks',
  queue: 'embeddings',
  payload: z.object({ versionId: z.uuid(), from: z.int().nonnegative(), to: z.int().positive() }),
  // A service that is away for half an hour must not end the work of a night; one that has no room does not count.
  maxFailures: 40,
  repeatable: 'Vectors are kept by model and content hash: those that are there are not made again.',
});
