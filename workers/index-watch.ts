import { VectorStoreError } from '../shared/adapters/vector-store/vector-store.js';
import type { Ready } from '../shared/backlog/enqueue.js';
import { isUnavailable } from '../shared/errors.js';
import { reweigh } from '../shared/knowledge/average-length.js';
import { lockIndex } from '../shared/knowledge/index-locks.js';
import { repairIndex } from '../shared/knowledge/repair-index.js';
import type { WorkerContext } from './context.js';

/** In milliseconds: how long a wiped vector store may go unnoticed. */
const everyMs = 5_000;

/**
 * Looks now and then whether the collection is the one that was filled, and has it filled again from Postgres when
 * it is not: a vector store is a copy that may be lost at any time.
 */
export function watchIndex(
  ctx: Pick<WorkerContext, 'database' | 'vectors' | 'dispatcher' | 'logger' | 'vectorStoreOutage'>,
): { close(): Promise<void> } {
  let looking: Promise<void> | null = null;
  let foundAway = false;
  let failed = false;

  async function look(): Promise<void> {
    const askedAt = performance.now();
    try {
      const ready = await repairIndex(ctx);
      if (ready?.length)
        ctx.logger.warn('the vector store lacks points, or another model was in use; all are written again');
      ready?.forEach((lane) => ctx.dispatcher.kick(lane));
      (await reweighSome(ctx.database)).forEach((lane) => ctx.dispatcher.kick(lane));
      // What only jobs have found is not over because a look was well: a full disk refuses nothing but writes.
      if (foundAway) ctx.vectorStoreOutage.over(askedAt);
      foundAway = false;
      failed = false;
    } catch (error) {
      if (error instanceof VectorStoreError && error.transient) {
        ctx.vectorStoreOutage.found(error, error.code === 'vector_store_unauthorized' ? 'error' : 'warn');
        foundAway = true;
        return;
      }
      // One line, however long it lasts. Another model needs an operator.
      if (!failed)
        ctx.logger[isUnavailable(error) ? 'warn' : 'error']({ err: error }, 'the vector store cannot be used');
      failed = true;
    }
  }

  const start = (): void => {
    looking ??= look().finally(() => {
      looking = null;
    });
  };
  const timer = setInterval(start, everyMs);
  start();

  return {
    async close() {
      clearInterval(timer);
      await looking;
    },
  };
}

/** One process at a time, so that none of them asks for what another has asked for. */
function reweighSome(database: WorkerContext['database']): Promise<Ready[]> {
  return database.transaction(async (tx) => {
    await lockIndex(tx);
    return reweigh(tx);
  });
}
