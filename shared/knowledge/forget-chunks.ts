import type { Sql } from '../database.js';
import { forgetVectors } from './embeddings.js';

/** Chunks deleted in one transaction: few enough that nobody waits for their locks. */
const batch = 2_000;

/**
 * Deletes the chunks that a statement names, some at a time, and the vectors that no other chunk uses.
 *
 * @param statement deletes at most `$2` chunks of `$1` and returns the content hash of each as `hash`.
 * @param guard throws in the transaction of each batch when the caller may not write any more.
 */
export async function forgetChunks(
  database: { transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T> },
  statement: string,
  ownerId: string,
  run: { signal: AbortSignal; guard: (tx: Sql) => Promise<void> },
): Promise<void> {
  for (let deleted = batch; deleted === batch;) {
    run.signal.throwIfAborted();
    deleted = await database.transaction(async (tx) => {
      await run.guard(tx);
      const { rows } = await tx.query<{ hash: Buffer }>(statement, [ownerId, batch]);
      await forgetVectors(
        tx,
        rows.map(({ hash }) => hash),
      );
      return rows.length;
    });
  }
}
