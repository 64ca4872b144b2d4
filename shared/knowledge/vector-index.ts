import type { VectorStore } from '../adapters/vector-store/vector-store.js';
import { ConfigError } from '../config.js';
import type { Sql } from '../database.js';
import type { Logger } from '../logger.js';

/** Which collections hold the points, as all processes agree on it. */
type IndexState = {
  /** The collection that was filled, or is being filled, by the jobs; another one in service is an empty one. */
  collection: string | null;
  /** One that a re-index is filling beside it. */
  building: string | null;
  /**
   * It was filled while processes of another model went on: what they have changed meanwhile it has not heard of, and is
   * to be written again.
   */
  outdated?: boolean;
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

/** When the state was written last. */
export async function indexChangedAt(sql: Sql): Promise<Date | null> {
  const { rows } = await sql.query<{ changedAt: Date }>(
    'SELECT updated_at AS "changedAt" FROM settings WHERE name = $1',
    [settingName],
  );
  return rows[0]?.changedAt ?? null;
}

/**
 * Where a write has to go: the collection in service, and the one that a re-index is filling; but not where that is made
 * for another model, whose vectors this process does not have.
 */
export async function writeTargets(sql: Sql, vectors: VectorStore): Promise<{ key: string; stores: VectorStore[] }> {
  const { building } = await readIndexState(sql);
  if (building === null || !vectors.fits(building)) return { key: '', stores: [vectors] };
  return { key: building, stores: [vectors, vectors.within(building)] };
}

/**
 * Refuses to start with a collection that was made for another embedding model or size: what would be found in it
 * is noise. A store that is away is let through.
 *
 * @throws ConfigError that says how to re-index.
 */
export async function requireFittingIndex(vectors: VectorStore, logger: Logger): Promise<void> {
  const found = await vectors.check().catch((error: unknown) => {
    logger.warn({ err: error }, 'the vector store is not reachable yet; starting without it');
    return null;
  });
  if (found?.state === 'mismatch') throw new ConfigError(found.message);
}
