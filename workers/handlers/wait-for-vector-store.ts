import { VectorStoreError } from '../../shared/adapters/vector-store/vector-store.js';
import type { Outcome } from '../../shared/backlog/claim.js';
import { repairIndex } from '../../shared/knowledge/repair-index.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';
import { askAgainMs } from '../paced-outage.js';

/**
 * Does work that needs the vector store. While that is away the job waits, however long it takes: an outage of a
 * store that can be rebuilt is no reason for work to fail. One job asks for all of them whether it is back, and none does
 * its work to find out at its end that nobody takes it. A collection that is gone is made again.
 */
export async function waitForVectorStore(
  ctx: WorkerContext,
  job: Pick<JobRun, 'logger'>,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  const { vectorStoreOutage: outage } = ctx;
  const away = outage.recent();
  if (away) return waits(away.error, outage.turn(away.leftMs));
  try {
    if (outage.isOn()) {
      await ctx.vectors.check();
      outage.doubt();
    }
    const askedAt = performance.now();
    const outcome = await work();
    // Work that was only put off may not have come to the store.
    if (outcome.state === 'done') outage.over(askedAt);
    return outcome;
  } catch (error) {
    if (!(error instanceof VectorStoreError) || !error.transient) throw error;
    if (error.code === 'vector_store_missing' && (await isMadeAgain(ctx))) {
      job.logger.warn({ err: error }, 'the vector store had no collection for the work; the job waits for it');
    } else outage.found(error, error.code === 'vector_store_unauthorized' ? 'error' : 'warn');
    return waits(error, outage.turn(askAgainMs));
  }
}

/** The row is told why it waits, also where another job has found out. */
function waits(error: Error, delayMs: number): Outcome {
  const told = error instanceof VectorStoreError ? { code: error.code, message: error.message } : null;
  return { state: 'pending', delayMs, counts: false, error: told };
}

async function isMadeAgain(ctx: WorkerContext): Promise<boolean> {
  try {
    const ready = await repairIndex(ctx);
    ready?.forEach((lane) => ctx.dispatcher.kick(lane));
    return true;
  } catch {
    return false;
  }
}
