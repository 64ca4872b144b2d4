import { EmbeddingError } from '../../shared/adapters/embedder/embedder.js';
import type { Outcome } from '../../shared/backlog/claim.js';
import type { Ready } from '../../shared/backlog/enqueue.js';
import { embedChunks as makeVectors } from '../../shared/knowledge/embed-chunks.js';
import { markEmbedded } from '../../shared/knowledge/pipeline.js';
import type { JobHandler, JobRun } from '../handler.js';
import { announceProgress, giveUpVersion } from './version-progress.js';

/** In milliseconds: how soon a job asks again when the service does not say. */
const againMs = 5_000;

/** A service that counts requests by the minute makes work wait, however long it takes, and never fail. */
async function waitForRoom(job: Pick<JobRun, 'logger'>, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EmbeddingError) || error.code !== 'embedding_rate_limited') throw error;
    job.logger.warn({ err: error }, 'the embeddings service has no room for now; the job waits for it');
    const delayMs = (error.retryAfterMs ?? againMs) * (1 + Math.random() / 2);
    return { state: 'pending', delayMs, counts: false, error: { code: error.code, message: error.message } };
  }
}

/** Makes the vectors that a batch lacks; keeping them and asking for their points is one step. */
export const embedChunks: JobHandler<'embed-chunks'> = {
  run: (ctx, job) =>
    waitForRoom(job, async () => {
      const ready: Ready[] = [];
      await makeVectors(ctx, job.payload, job.signal, {
        before: (tx) => job.guard(tx),
        after: async (tx) => void ready.push(await markEmbedded(tx, { ...job.payload, userId: job.userId })),
      });
      await announceProgress(ctx, job.payload.versionId, ready);
      return { state: 'done' };
    }),
  giveUp: (ctx, job, error) => giveUpVersion(ctx, job, job.payload.versionId, error),
};
