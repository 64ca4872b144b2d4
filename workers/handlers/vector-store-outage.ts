import { VectorStoreError } from '../../shared/adapters/vector-store/vector-store.js';
import type { Outcome } from '../../shared/backlog/claim.js';
import { repairIndex } from '../../shared/knowledge/repair-index.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';

/** In milliseconds: how soon a job asks again whether the vector store is back. */
const againMs = 2_000;

/**
 * Does work that needs the vector store. While that is away the job waits, however long it takes: an outage of a
 * store that can be rebuilt is no reason for work to fail. A collection that is gone is made again.
 */
export async function waitForVectorStore(
  ctx: WorkerContext,
  job: Pick<JobRun, 'logger'>,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VectorStoreError) || !error.transient) throw error;
    job.logger.warn({ err: error }, 'the vector store did not take the work; the job waits for it');
    if (error.code === 'vector_store_missing') {
      const ready = await repairIndex(ctx).catch(() => null);
      ready?.forEach((lane) => ctx.dispatcher.kick(lane));
    }
    const told = { code: error.code, message: error.message };
    return { state: 'pending', delayMs: againMs * (0.75 + Math.random() / 2), counts: false, error: told };
  }
}
