import type { Ready } from '../../shared/backlog/enqueue.js';
import { embedChunks as makeVectors } from '../../shared/knowledge/embed-chunks.js';
import { markEmbedded } from '../../shared/knowledge/pipeline.js';
import type { JobHandler } from '../handler.js';
import { announceProgress, giveUpVersion, tellIfWaiting } from './version-progress.js';
import { waitForEmbedder } from './wait-for-embedder.js';

/** Makes the vectors that a batch lacks; keeping them and asking for their points is one step. */
export const embedChunks: JobHandler<'embed-chunks'> = {
  run: async (ctx, job) => {
    const outcome = await waitForEmbedder(ctx, job, async (embedder) => {
      const ready: Ready[] = [];
      await makeVectors({ ...ctx, embedder }, job.payload, job.signal, {
        before: (tx) => job.guard(tx),
        after: async (tx) => void ready.push(await markEmbedded(tx, { ...job.payload, userId: job.userId })),
      });
      await announceProgress(ctx, job.payload.versionId, ready);
      return { state: 'done' };
    });
    return tellIfWaiting(ctx, job.payload.versionId, outcome);
  },
  giveUp: (ctx, job, error) => giveUpVersion(ctx, job, job.payload.versionId, error),
};
