import { compactDocument as compact } from '../../shared/documents/compact.js';
import type { JobHandler } from '../handler.js';

/** Merges the log of a document. */
export const compactDocument: JobHandler<'compact-document'> = {
  async run(ctx, job) {
    const done = await compact(ctx.database, job.payload.documentId, { guard: job.guard, signal: job.signal });
    job.logger.debug({ documentId: job.payload.documentId, done }, 'a document was compacted');
    return { state: 'done' };
  },
  async giveUp() {
    // The log stays as it is, and the next few hundred updates ask again.
  },
};
