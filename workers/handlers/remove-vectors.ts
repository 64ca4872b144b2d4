import { removeEntry } from '../../shared/knowledge/remove-entry.js';
import type { JobHandler } from '../handler.js';
import { waitForVectorStore } from './vector-store-outage.js';

/** Leaves nothing of a deleted entry behind. */
export const removeVectors: JobHandler<'remove-vectors'> = {
  run: (ctx, job) =>
    waitForVectorStore(ctx, job, async () => {
      await removeEntry(ctx, job.payload.entryId, job);
      return { state: 'done' };
    }),
  async giveUp() {
    // Nobody sees the entry any more; the cleaning asks again for what is left.
  },
};
