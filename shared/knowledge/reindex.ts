import { isDeepStrictEqual } from 'node:util';
import type { Embedder } from '../adapters/embedder/embedder.js';
import type { VectorStore } from '../adapters/vector-store/vector-store.js';
import type { Database } from '../database.js';
import { averageLength } from './average-length.js';
import { documentIds, fillDocument } from './documents/fill-document.js';
import { embedChunks } from './embed-chunks.js';
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
export type Reindexed = { collection: string; replaced: string | null; points: number; embedded: number };

/**
 * Builds a new collection from Postgres and puts it into service in one step. Everything goes on meanwhile: jobs
 * write to both collections, and searches see the old one until the new one is whole. Processes of another model keep
 * to their own collection, which stays for them; what they have written is written again once they are gone.
 *
 * @param report told now and then how many of the versions and documents are done.
 * @throws ConfigError when another one runs.
 */
export function reindex(
  deps: Deps,
  report: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<Reindexed> {
  return whileOnlyReindex(deps, () => build(deps, report, signal));
}

async function build(
  deps: Deps,
  report: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<Reindexed> {
  const { database, vectors } = deps;
  const collection = await begin(deps);
  try {
    const target = vectors.within(collection);
    const ids = await versionIds(database);
    const documents = await documentIds(database);
    const total = ids.length + documents.length;
    const count = { points: 0, embedded: 0 };
    for (const [done, versionId] of ids.entries()) {
      signal.throwIfAborted();
      report(done, total);
      const filled = await patiently(() => fillVersion({ ...deps, target }, versionId, signal), signal);
      count.points += filled.points;
      count.embedded += filled.embedded;
    }
    for (const [done, documentId] of documents.entries()) {
      signal.throwIfAborted();
      report(ids.length + done, total);
      const filled = await patiently(() => fillDocument({ ...deps, target }, documentId, signal), signal);
      count.points += filled.points;
      count.embedded += filled.embedded;
    }
    report(total, total);
    const replaced = await vectors.switchTo(collection);
    const ofOtherModel = replaced !== null && !vectors.fits(replaced);
    await database.transaction(async (tx) => {
      await lockIndex(tx);
      await writeIndexState(tx, { collection, building: null, outdated: ofOtherModel });
    });
    if (replaced !== null && !ofOtherModel) await vectors.deleteCollection(replaced);
    return { collection, replaced, ...count };
  } catch (error) {
    await abandon(deps, collection);
    throw error;
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

async function versionIds(database: Database): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>(
    `SELECT version.id FROM knowledge_versions AS version JOIN knowledge_entries AS entry ON entry.id = version.entry_id
     WHERE ${placedSql} AND version.chunk_count > 0 ORDER BY version.id`,
  );
  return rows.map(({ id }) => id);
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
