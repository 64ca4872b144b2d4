import { removeDocument } from '../../shared/knowledge/documents/remove-document.js';
import { removeEntry } from '../../shared/knowledge/remove-entry.js';
import type { JobHandler } from '../handler.js';
import { waitForVectorStore } from './wait-for-vector-store.js';

/** Leaves nothing of a deleted entry or document behind. */
export const removeVectors: JobHandler<'remove-vectors'> = {
  run: (ctx, job) =>
    waitForVectorStore(ctx, job, async () => {
      if ('documentId' in job.payload) await removeDocument(ctx, job.payload.documentId, job);
      else await removeEntry(ctx, job.payload.entryId, job);
      return { state: 'done' };
    }),
  async giveUp() {
    // Nobody sees it any more; the cleaning asks again for what is left.
  },
};
