import { z } from 'zod';
import { defineJob } from './contract.js';

/** Deletes what has had its time: expired tokens, idempotency keys, finished jobs. */
export const clean = defineJob({
  kind: 'clean',
  queue: 'upkeep',
  payload: z.object({}),
  maxFailures: 3,
  implied: true,
  repeatable: 'It deletes by age, in batches; a repeat finds the rest.',
});
