import { isDeepStrictEqual } from 'node:util';
import { all, is, isAnyOf, not } from '../adapters/vector-store/filter.js';
import type { VectorStore } from '../adapters/vector-store/vector-store.js';
import type { Ready } from '../backlog/enqueue.js';
import type { Database, Sql } from '../database.js';
import { reweighEntry } from './average-length.js';
import { askForMissing, completeVersion, makeReady } from './pipeline.js';
import { overtakenSql, payloadOf, placedSql, type Placement, placementColumns } from './placement.js';
import { writeTargets } from './vector-index.js';

const maxRounds = 10;

/** The versions that are to be found, and whom the dispatcher should look at: one that comes back may lack points. */
type Synced = { ready: Ready[]; versionIds: string[] };

/**
 * Makes the points of an entry say what its row says: the payload of the versions that are to be found, and no
 * points of the others. The row is read again afterwards, as everywhere. A version of which everything is in the
 * index is ready by this.
 */
export async function syncEntry(
  deps: { database: Database; vectors: VectorStore },
  entryId: string,
  userId: string,
  guard: (tx: Sql) => Promise<void>,
): Promise<Synced> {
  const { database, vectors } = deps;
  let placements = await findPlacements(database, entryId);
  let targets = await writeTargets(database, vectors);
  for (let round = 0; round < maxRounds; round += 1) {
    for (const store of targets.stores) await write(store, entryId, placements);
    const after = await findPlacements(database, entryId);
    const targetsAfter = await writeTargets(database, vectors);
    const same = isDeepStrictEqual(after, placements) && targetsAfter.key === targets.key;
    if (same) return noteRemoved(database, { entryId, placements, userId, guard });
    placements = after;
    targets = targetsAfter;
  }
  throw new Error('the entry changes faster than its points can be written');
}

async function findPlacements(sql: Sql, entryId: string): Promise<Placement[]> {
  const { rows } = await sql.query<Placement>(
    `SELECT ${placementColumns}
     FROM knowledge_versions AS version JOIN knowledge_entries AS entry ON entry.id = version.entry_id
     WHERE entry.id = $1 AND ${placedSql} ORDER BY version.n`,
    [entryId],
  );
  return rows;
}

async function write(store: VectorStore, entryId: string, placements: readonly Placement[]): Promise<void> {
  for (const placement of placements) {
    await store.setPayload(payloadOf(placement), all(is('versionId', placement.versionId)));
  }
  const kept = placements.map(({ versionId }) => versionId);
  await store.deleteWhere(all(is('entryId', entryId), ...(kept.length > 0 ? [not(isAnyOf('versionId', kept))] : [])));
}

/** Versions that lost their points know it; those that are to have points again are asked for. */
async function noteRemoved(
  database: Database,
  about: { entryId: string; placements: Placement[]; userId: string; guard: (tx: Sql) => Promise<void> },
): Promise<Synced> {
  const kept = about.placements.map(({ versionId }) => versionId);
  return database.transaction(async (tx) => {
    await about.guard(tx);
    await tx.query('SELECT 1 FROM knowledge_entries WHERE id = $1 FOR NO KEY UPDATE', [about.entryId]);
    const overtaken = await findOvertaken(tx, about.entryId);
    const ready: Ready[] = [];
    for (const versionId of overtaken) ready.push(...(await completeVersion(tx, versionId)));
    // What is still on its way counts there what has been done, so that it comes to an end.
    await tx.query(
      `UPDATE knowledge_versions SET indexed = '{}'
       WHERE entry_id = $1 AND id <> ALL($2::uuid[]) AND NOT isempty(indexed) AND state <> 'ingesting'`,
      [about.entryId, kept],
    );
    for (const { versionId, newest } of about.placements) {
      // Only one whose points say now that it is the newest.
      if (newest) ready.push(...(await makeReady(tx, versionId)));
      ready.push(...(await askForMissing(tx, versionId, about.userId)));
    }
    ready.push(...(await reweighEntry(tx, about.entryId)));
    return { ready, versionIds: [...kept, ...overtaken] };
  });
}

/** Versions on their way of which a later one was ready first. */
async function findOvertaken(tx: Sql, entryId: string): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `SELECT version.id FROM knowledge_versions AS version JOIN knowledge_entries AS entry ON entry.id = version.entry_id
     WHERE entry.id = $1 AND version.state = 'ingesting' AND ${overtakenSql}`,
    [entryId],
  );
  return rows.map(({ id }) => id);
}
