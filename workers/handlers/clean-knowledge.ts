import { VectorStoreError } from '../../shared/adapters/vector-store/vector-store.js';
import { compareIndex } from '../../shared/knowledge/compare-index.js';
import {
  deleteLostObjects,
  deleteReplacedCollections,
  deleteUnusedVectors,
  resumeStuck,
} from '../../shared/knowledge/leftovers.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';

/** Vectors deleted by one statement. */
const batch = 1_000;

/** What the knowledge store has left over, in Postgres, among the objects and in the vector store. */
export async function cleanKnowledge(ctx: WorkerContext, job: Pick<JobRun, 'signal' | 'logger'>): Promise<void> {
  for (let deleted = batch; deleted >= batch;) {
    job.signal.throwIfAborted();
    deleted = await deleteUnusedVectors(ctx.database, batch);
  }
  (await resumeStuck(ctx.database)).forEach((lane) => ctx.dispatcher.kick(lane));
  const objects = await deleteLostObjects(ctx, job.signal);
  if (objects > 0) job.logger.info({ objects }, 'objects that belonged to no file were deleted');
  try {
    const { removed, ready } = await compareIndex(ctx, job.signal);
    if (removed > 0) job.logger.warn({ points: removed }, 'points of no passage were deleted');
    ready.forEach((lane) => ctx.dispatcher.kick(lane));
    const collections = await deleteReplacedCollections(ctx);
    if (collections > 0) job.logger.info({ collections }, 'collections of earlier embedding models were deleted');
  } catch (error) {
    if (!(error instanceof VectorStoreError)) throw error;
    // The next cleaning compares; whoever watches the index tells of the outage.
    job.logger.debug({ err: error }, 'the points were not compared');
  }
}
