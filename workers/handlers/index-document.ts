import type { Outcome } from '../../shared/backlog/claim.js';
import { beginIndexing, readText } from '../../shared/documents/indexing.js';
import { indexStored, storeDocument } from '../../shared/knowledge/documents/index-document.js';
import { removeDocument } from '../../shared/knowledge/documents/remove-document.js';
import type { JobHandler } from '../handler.js';
import { waitForEmbedder } from './wait-for-embedder.js';
import { waitForVectorStore } from './wait-for-vector-store.js';

/** Indexes the text of a document, once nobody has typed for a moment. */
export const indexDocument: JobHandler<'index-document'> = {
  async run(ctx, job) {
    const { documentId } = job.payload;
    const begun = await beginIndexing(ctx.database, documentId);
    if (begun.state === 'unsettled') {
      return { state: 'pending', delayMs: begun.waitMs, counts: false, error: null };
    }
    const index = (isThere: boolean): Promise<Outcome> =>
      waitForVectorStore(ctx, job, async () => {
        if (isThere) await indexStored(ctx, documentId, job);
        else await removeDocument(ctx, documentId, job);
        return { state: 'done' };
      });
    if (begun.state === 'gone') return index(false);
    const task = { documentId, seq: begun.seq, readText: () => readText(ctx.database, documentId) };
    return waitForEmbedder(ctx, job, async (embedder) => index(await storeDocument({ ...ctx, embedder }, task, job)));
  },
  async giveUp() {
    // What was found before is found on; the next edit asks again, and so does the cleaning.
  },
};
