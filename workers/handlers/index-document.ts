import { beginIndexing, readText } from '../../shared/documents/indexing.js';
import { indexDocument as index } from '../../shared/knowledge/documents/index-document.js';
import { removeDocument } from '../../shared/knowledge/documents/remove-document.js';
import type { JobHandler } from '../handler.js';
import { waitForVectorStore } from './vector-store-outage.js';

/** Indexes the text of a document, once nobody has typed for a moment. */
export const indexDocument: JobHandler<'index-document'> = {
  run: (ctx, job) =>
    waitForVectorStore(ctx, job, async () => {
      const { documentId } = job.payload;
      const begun = await beginIndexing(ctx.database, documentId);
      if (begun.state === 'unsettled') {
        return { state: 'pending', delayMs: begun.waitMs, counts: false, error: null };
      }
      if (begun.state === 'gone') await removeDocument(ctx, documentId, job);
      else {
        const task = { documentId, seq: begun.seq, readText: () => readText(ctx.database, documentId) };
        await index(ctx, task, job);
      }
      return { state: 'done' };
    }),
  async giveUp() {
    // What was found before is found on; the next edit asks again, and so does the cleaning.
  },
};
