import { isDeepStrictEqual } from 'node:util';
import { type Embedder, EmbeddingError } from '../adapters/embedder/embedder.js';
import type { VectorStore } from '../adapters/vector-store/vector-store.js';
import type { Database } from '../database.js';
import { averageLength } from './average-length.js';
import { documentsToFill, fillDocument } from './documents/fill-document.js';
import { embedChunks } from './embed-chunks.js';
import { embedTogether, groupsOf, type Indexed } from './embed-together.js';
import { makePoints } from './index-chunks.js';
import { chunksPerJob } from './limits.js';
import { patiently } from './patiently.js';
import { findPlacement, placedSql } from './placement.js';
import { forgetBuilding, lockIndex, whileOnlyReindex } from './index-locks.js';
import { readIndexState, writeIndexState } from './vector-index.js';

type Deps = {
  database: Database;
  /** Made for the model and size that the configuration names, whatever is in service. */
  vectors: VectorStore;
  embedder: Embedder;
};

/**
 * What a re-index did. `embedded` counts texts that had no vector of this model: 0 unless the model has changed. What was
 * `replaced` is deleted, unless it is of another model.
 */
export type Reindexed = {
  collection: string;
  replaced: string | null;
  points: number;
  embedded: number;
  /** What could not be indexed, because the embeddings service does not take a text of it; `message` says why. */
  left: { what: 'version' | 'document'; id: string; message: string }[];
};

/** How whoever started it is kept informed. */
export type Listener = {
  /** Now and then: how many of the versions and documents are done. */
  progress?(done: number, total: number): void;
  /** It waits for a service before it tries again. */
  waits?(error: Error, waitMs: number): void;
};

/**
 * Builds a new collection from Postgres and puts it into service in one step. Everything goes on meanwhile: jobs
 * write to both collections, and searches see the old one until the new one is whole. Processes of another model keep
 * to their own collection, which stays for them; what they have written is written again once they are gone.
 *
 * @throws ConfigError when another one runs; EmbeddingError, VectorStoreError when waiting for a service has not helped.
 */
export function reindex(deps: Deps, listener: Listener, signal: AbortSignal): Promise<Reindexed> {
  return whileOnlyReindex(deps, () => build(deps, listener, signal));
}

async function build(deps: Deps, listener: Listener, signal: AbortSignal): Promise<Reindexed> {
  const { database, vectors } = deps;
  const collection = await begin(deps);
  try {
    const filled = await fill(deps, vectors.within(collection), listener, signal);
    const replaced = await vectors.switchTo(collection);
    const ofOtherModel = replaced !== null && !vectors.fits(replaced);
    await database.transaction(async (tx) => {
      await lockIndex(tx);
      await writeIndexState(tx, { collection, building: null, outdated: ofOtherModel });
    });
    if (replaced !== null && !ofOtherModel) await vectors.deleteCollection(replaced);
    return { collection, replaced, ...filled };
  } catch (error) {
    await abandon(deps, collection);
    throw error;
  }
}

/** So many versions and documents a re-index leaves out before it gives up. The cleaning asks for them again. */
const maxLeft = 10;

type Filled = Pick<Reindexed, 'points' | 'embedded' | 'left'>;

async function fill(deps: Deps, target: VectorStore, listener: Listener, signal: AbortSignal): Promise<Filled> {
  const versions = await versionsToFill(deps.database);
  const documents = await documentsToFill(deps.database);
  const total = versions.length + documents.length;
  const filled: Filled = { points: 0, embedded: 0, left: [] };
  const patient = <T>(work: () => Promise<T>): Promise<T> => patiently(work, signal, listener.waits);
  let done = 0;
  let refused: EmbeddingError | undefined;
  async function fillAll(
    what: 'version' | 'document',
    all: readonly Indexed[],
    fillOne: (id: string) => Promise<{ points: number; embedded: number }>,
  ): Promise<void> {
    for (const group of groupsOf(all)) {
      const ids = group.map(({ id }) => id);
      if (ids.length > 1) filled.embedded += await patient(() => embedGroup(deps, `${what}s`, ids, signal));
      for (const id of ids) {
        signal.throwIfAborted();
        listener.progress?.(done, total);
        try {
          const { points, embedded } = await patient(() => fillOne(id));
          filled.points += points;
          filled.embedded += embedded;
        } catch (error) {
          if (!liesInText(error)) throw error;
          // For one text nobody is to be left without the new model; of many it is the service that is not well.
          if (filled.left.length === maxLeft) throw error;
          filled.left.push({ what, id, message: error.message });
          refused = error;
        }
        done += 1;
      }
    }
  }
  await fillAll('version', versions, (id) => fillVersion({ ...deps, target }, id, signal));
  await fillAll('document', documents, (id) => fillDocument({ ...deps, target }, id, signal));
  if (refused && filled.points === 0) throw refused;
  listener.progress?.(total, total);
  return filled;
}

const liesInText = (error: unknown): error is EmbeddingError =>
  error instanceof EmbeddingError && !error.ofService && error.code !== 'embedding_rate_limited';

/** What lies in one of the texts is found again, and told, when that one's turn comes. */
async function embedGroup(...args: Parameters<typeof embedTogether>): Promise<number> {
  try {
    return await embedTogether(...args);
  } catch (error) {
    if (!liesInText(error)) throw error;
    return 0;
  }
}

/** From the commit on, jobs write to the new collection too; what they wrote before is read from Postgres later. */
async function begin({ database, vectors }: Deps): Promise<string> {
  await database.transaction(async (tx) => {
    await lockIndex(tx);
    await forgetBuilding(tx, vectors);
  });
  const collection = await vectors.createCollection();
  await database.transaction(async (tx) => {
    await lockIndex(tx);
    const state = await readIndexState(tx);
    await writeIndexState(tx, { ...state, building: collection });
  });
  return collection;
}

async function abandon({ database, vectors }: Deps, collection: string): Promise<void> {
  await database.transaction(async (tx) => {
    await lockIndex(tx);
    const state = await readIndexState(tx);
    if (state.building === collection) await writeIndexState(tx, { ...state, building: null });
  });
  if ((await vectors.inService()) !== collection) await vectors.deleteCollection(collection);
}

async function versionsToFill(database: Database): Promise<Indexed[]> {
  const { rows } = await database.query<Indexed>(
    `SELECT version.id, version.chunk_count AS chunks
     FROM knowledge_versions AS version JOIN knowledge_entries AS entry ON entry.id = version.entry_id
     WHERE ${placedSql} AND version.chunk_count > 0 ORDER BY version.id`,
  );
  return rows;
}

async function fillVersion(
  deps: Deps & { target: VectorStore },
  versionId: string,
  signal: AbortSignal,
): Promise<{ points: number; embedded: number }> {
  const { database, embedder, target } = deps;
  const count = { points: 0, embedded: 0 };
  const { rows } = await database.query<{ chunks: number }>(
    'SELECT chunk_count AS chunks FROM knowledge_versions WHERE id = $1',
    [versionId],
  );
  const chunks = rows[0]?.chunks ?? 0;
  for (let from = 0; from < chunks; from += chunksPerJob) {
    const range = { versionId, from, to: Math.min(from + chunksPerJob, chunks) };
    for (let settled = false; !settled;) {
      signal.throwIfAborted();
      const placement = await findPlacement(database, versionId);
      if (!placement) break;
      count.embedded += await embedChunks({ database, embedder }, range, signal);
      const points =
        (await makePoints(database, embedder.model, range, placement, await averageLength(database))) ?? [];
      await target.upsert(points);
      const after = await findPlacement(database, versionId);
      settled = isDeepStrictEqual(after, placement);
      if (settled) count.points += points.length;
      // Gone meanwhile: the job that removes it writes to both collections, but perhaps before this write.
      if (!after) await target.deleteIds(points.map(({ id }) => id));
    }
  }
  return count;
}
