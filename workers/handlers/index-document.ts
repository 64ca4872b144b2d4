import { beginIndexing, readText } from '../../shared/documents/indexing.js';
import { indexStored, storeDocument } from '../../shared/knowledge/documents/index-document.js';
import { removeDocument } from '../../shared/knowledge/documents/remove-document.js';
import type { JobHandler } from '../handler.js';
import { waitForVectorStore } from './wait-for-vector-store.js';

/** Indexes the text of a document, once nobody has typed for a moment. */
export const indexDocument: JobHandler<'index-document'> = {
  async run(ctx, job) {
    const { documentId } = job.payload;
    const begun = await beginIndexing(ctx.database, documentId);
    if (begun.state === 'unsettled') {
      return { state: 'pending', delayMs: begun.waitMs, counts: false, error: null };
    }
    const readNow = () => readText(ctx.database, documentId);
    const isThere =
      begun.state !== 'gone' && (await storeDocument(ctx, { documentId, seq: begun.seq, readText: readNow }, job));
    return waitForVectorStore(ctx, job, async () => {
      if (isThere) await indexStored(ctx, documentId, job);
      else await removeDocument(ctx, documentId, job);
      return { state: 'done' };
    });
  },
  async giveUp() {
    // What was found before is found on; the next edit asks again, and so does the cleaning.
  },
};
