import { askForRetitled } from '../../shared/knowledge/documents/ask.js';
import { syncDocument } from '../../shared/knowledge/documents/sync-document.js';
import { syncEntry } from '../../shared/knowledge/sync-entry.js';
import type { JobHandler } from '../handler.js';
import { announceProgress } from './version-progress.js';
import { waitForVectorStore } from './wait-for-vector-store.js';

/** Makes the points of an entry or a document say who may find them. */
export const syncPayload: JobHandler<'sync-payload'> = {
  run: (ctx, job) =>
    waitForVectorStore(ctx, job, async () => {
      if ('documentId' in job.payload) {
        const { documentId } = job.payload;
        await syncDocument(ctx, documentId);
        const asked = await ctx.database.transaction(async (tx) => {
          await job.guard(tx);
          return askForRetitled(tx, documentId);
        });
        asked.forEach((lane) => ctx.dispatcher.kick(lane));
        return { state: 'done' };
      }
      const { ready, versionIds } = await syncEntry(ctx, job.payload.entryId, job.userId, job.guard);
      ready.forEach((lane) => ctx.dispatcher.kick(lane));
      for (const versionId of versionIds) await announceProgress(ctx, versionId, []);
      return { state: 'done' };
    }),
  async giveUp() {
    // Postgres decides about every hit, so nobody finds too much; the cleaning makes the points agree again.
  },
};
