import type { Ready } from '../../shared/backlog/enqueue.js';
import { holdVersion } from '../../shared/knowledge/hold-version.js';
import { indexChunks } from '../../shared/knowledge/index-chunks.js';
import { markIndexed, unmarkEmbedded } from '../../shared/knowledge/pipeline.js';
import type { JobHandler } from '../handler.js';
import { announceProgress, giveUpVersion, tellIfWaiting } from './version-progress.js';
import { waitForVectorStore } from './wait-for-vector-store.js';

/** Puts a batch into the vector store; whatever is not to be found there it takes out instead. */
export const upsertVectors: JobHandler<'upsert-vectors'> = {
  run: async (ctx, job) => {
    const outcome = await waitForVectorStore(ctx, job, async () => {
      const { payload, userId } = job;
      const indexed = await indexChunks({ ...ctx, model: ctx.embedder.model }, payload, job.signal);
      const ready = await ctx.database.transaction(async (tx): Promise<Ready[]> => {
        await job.guard(tx);
        if (!(await holdVersion(tx, payload.versionId))) return [];
        if (indexed.state === 'without-vectors') return [await unmarkEmbedded(tx, { ...payload, userId })];
        const written = indexed.state === 'written' ? indexed : { averageLength: null, completes: false };
        return markIndexed(tx, { ...payload, averageLength: written.averageLength, completes: written.completes });
      });
      await announceProgress(ctx, payload.versionId, ready);
      return { state: 'done' };
    });
    return tellIfWaiting(ctx, job.payload.versionId, outcome);
  },
  giveUp: (ctx, job, error) => giveUpVersion(ctx, job, job.payload.versionId, error),
};
