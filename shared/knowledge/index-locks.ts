import type { VectorStore } from '../adapters/vector-store/vector-store.js';
import { ConfigError } from '../config.js';
import type { Database, Sql } from '../database.js';
import { readIndexState, writeIndexState } from './vector-index.js';

/** Any numbers that nothing else uses. */
const indexLock = 5_310_003;
const reindexLock = 5_310_006;

type Deps = { database: Database; vectors: VectorStore };

/** Changes of the index's state, one at a time over all processes. */
export async function lockIndex(tx: Sql): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [indexLock]);
}

/**
 * Does `work` while no other re-index runs: of two at once the later one would put a collection into service that lacks
 * what was written since the first one ended. The lock ends with the connection, and so with a process that is killed.
 *
 * @throws ConfigError when one runs already.
 */
export async function whileOnlyReindex<T>({ database }: Pick<Deps, 'database'>, work: () => Promise<T>): Promise<T> {
  const client = await database.connect();
  try {
    const { rows } = await client.query<{ free: boolean }>('SELECT pg_try_advisory_lock($1) AS free', [reindexLock]);
    if (!rows[0]?.free) throw new ConfigError('A re-index is running already. Wait until it has ended.');
    try {
      return await work();
    } finally {
      // Postgres notices only later that the connection has gone: who comes next would still find the lock held.
      await client.query('SELECT pg_advisory_unlock($1)', [reindexLock]).catch(() => {});
    }
  } finally {
    client.release(true);
  }
}

/** Keeps re-indexes from starting until the transaction ends. @returns false when one is running. */
export async function holdReindexes(tx: Sql): Promise<boolean> {
  const { rows } = await tx.query<{ free: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS free', [reindexLock]);
  return rows[0]?.free === true;
}

/** Gives up the collection of a re-index that was killed: jobs would go on writing to it, or wait for it when it is gone. */
export async function dropAbandoned({ database, vectors }: Deps): Promise<void> {
  if ((await readIndexState(database)).building === null) return;
  await database.transaction(async (tx) => {
    if (!(await holdReindexes(tx))) return;
    await lockIndex(tx);
    await forgetBuilding(tx, vectors);
  });
}

/** For who knows that no re-index runs. */
export async function forgetBuilding(tx: Sql, vectors: VectorStore): Promise<void> {
  const { building, ...state } = await readIndexState(tx);
  if (building === null) return;
  await writeIndexState(tx, { ...state, building: null });
  if ((await vectors.inService()) !== building) await vectors.deleteCollection(building);
}
