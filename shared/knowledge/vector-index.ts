import type { VectorStore } from '../adapters/vector-store/vector-store.js';
import type { Sql } from '../database.js';
import type { Logger } from '../logger.js';

/** Which collections hold the points, as all processes agree on it. */
type IndexState = {
  /** The collection that was filled, or is being filled, by the jobs; another one in service is an empty one. */
  collection: string | null;
  /** One that a re-index is filling beside it. */
  building: string | null;
};

const settingName = 'vector-index';

export async function readIndexState(sql: Sql): Promise<IndexState> {
  const { rows } = await sql.query<{ value: IndexState }>({
    name: 'read-index-state',
    text: 'SELECT value FROM settings WHERE name = $1',
    values: [settingName],
  });
  return rows[0]?.value ?? { collection: null, building: null };
}

export async function writeIndexState(sql: Sql, state: IndexState): Promise<void> {
  await sql.query(
    `INSERT INTO settings (name, value) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = now()`,
    [settingName, JSON.stringify(state)],
  );
}

/** Where a write has to go: the collection in service, and the one that a re-index is filling. */
export async function writeTargets(sql: Sql, vectors: VectorStore): Promise<{ key: string; stores: VectorStore[] }> {
  const { building } = await readIndexState(sql);
  return { key: building ?? '', stores: building ? [vectors, vectors.within(building)] : [vectors] };
}

/**
 * Refuses to start with a collection that was made for another embedding model or size: what would be found in it
 * is noise. A store that is away is let through.
 *
 * @throws Error that says how to re-index.
 */
export async function requireFittingIndex(vectors: VectorStore, logger: Logger): Promise<void> {
  const found = await vectors.check().catch((error: unknown) => {
    logger.warn({ err: error }, 'the vector store is not reachable yet; starting without it');
    return null;
  });
  if (found?.state === 'mismatch') throw new Error(found.message);
}
