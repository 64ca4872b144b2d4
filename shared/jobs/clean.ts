import { z } from 'zod';
import { defineJob } from './contract.js';

/**
 * Deletes what has had its time: expired tokens, idempotency keys, finished jobs. Compares the files and the points with
 * Postgres, and asks for what should be under way and is not.
 */
export const clean = defineJob({
  kind: 'clean',
  queue: 'upkeep',
  payload: z.object({}),
  maxFailures: 3,
  implied: true,
  repeatable:
    'It deletes what is not used any more, in batches, and asks for what is missing; a repeat finds the rest.',
});
