import { z } from 'zod';
import { defineJob } from './contract.js';

/**
 * Reads the content of a version, passage by passage, and asks for each batch to be embedded. It then waits until
 * all is indexed, so that whoever watches it sees the whole way.
 */
export const ingestVersion = defineJob({
  kind: 'ingest-version',
  queue: 'ingestion',
  payload: z.object({ versionId: z.uuid() }),
  maxFailures: 5,
  repeatable: 'Passages are stored with the place that was reached, in one transaction; a repeat goes on from there.',
});
