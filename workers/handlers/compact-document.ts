import { AppError, JobFailure } from '../../shared/errors.js';
import { compactDocument as compact } from '../../shared/documents/compact.js';
import { maxCompactionSteps } from '../../shared/documents/limits.js';
import type { JobHandler } from '../handler.js';

/** Merges the log of a document. */
export const compactDocument: JobHandler<'compact-document'> = {
  async run(ctx, job) {
    const { guard, signal } = job;
    const options = { guard, signal, steps: maxCompactionSteps };
    const done = await compact(ctx.database, job.payload.documentId, options).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'payload_too_large') throw error;
      // It would take as long again.
      throw new JobFailure(error.code, error.message, { transient: false, cause: error });
    });
    job.logger.debug({ documentId: job.payload.documentId, done }, 'a document was compacted');
    return { state: 'done' };
  },
  async giveUp() {
    // The log stays as it is, and the next few hundred updates ask again.
  },
};
