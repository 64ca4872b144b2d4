import { isDeepStrictEqual } from 'node:util';
import { everything } from '../adapters/vector-store/filter.js';
import type { Payload, VectorStore } from '../adapters/vector-store/vector-store.js';
import type { Ready } from '../backlog/enqueue.js';
import type { Database } from '../database.js';
import { syncPoints } from './change-entry.js';
import { compareDocuments } from './documents/compare.js';
import { askForMissing } from './pipeline.js';
import { payloadOf, placedSql, type Placement, placementColumns } from './placement.js';

/** What points of entries are filtered by and Postgres may have changed since they were written. */
const changing = ['approved', 'newest', 'tags', 'status'] as const;

const comparedFields = ['kind', 'entryId', 'versionId', 'chunk', 'accessVersion', ...changing] as const;

/**
 * Compares the points with Postgres: those of no passage are deleted, versions and documents that lack some have them
 * written again, and those that say something else than their rows are brought up to date.
 *
 * @returns whom the dispatcher should look at.
 */
export async function compareIndex(
  { database, vectors }: { database: Database; vectors: VectorStore },
  signal: AbortSignal,
): Promise<{ removed: number; ready: Ready[] }> {
  const startedAt = await readClock(database);
  const counts = new Map<string, number>();
  let removed = 0;
  const outdated = new Map<string, string>();
  const documents = compareDocuments(database, startedAt);
  for await (const page of vectors.scroll(everything, { fields: comparedFields })) {
    signal.throwIfAborted();
    const ofDocuments = page.filter(({ payload }) => payload.kind === 'document');
    const points = page
      .filter(({ payload }) => payload.kind !== 'document')
      .map(({ id, payload }) => ({
        id,
        versionId: String(payload.versionId),
        chunk: Number(payload.chunk),
        payload,
      }));
    // Read after the points: a passage is in Postgres before its point is written.
    const known = await findKnown(database, points);
    const strangers = points.filter(({ id }) => !known.has(id)).map(({ id }) => id);
    strangers.push(...(await documents.look(ofDocuments)));
    await vectors.deleteIds(strangers);
    removed += strangers.length;
    for (const { id, versionId, payload } of points) {
      const placement = known.get(id);
      if (!placement) continue;
      counts.set(versionId, (counts.get(versionId) ?? 0) + 1);
      if (!says(payload, placement)) outdated.set(placement.entryId, placement.ownerId);
    }
  }
  const ready = [...(await askForLacking(database, counts, startedAt)), ...(await documents.ask())];
  // What is just being brought up to date is asked for once more, and found to be so.
  for (const [entryId, userId] of outdated) ready.push(await syncPoints(database, { entryId, userId }));
  return { removed, ready };
}

async function readClock(database: Database): Promise<Date> {
  const { rows } = await database.query<{ now: Date }>('SELECT now() AS now');
  return rows[0]?.now ?? new Date(0);
}

function says(payload: Payload, placement: Placement): boolean {
  const wanted: Payload = payloadOf(placement);
  return changing.every((field) => isDeepStrictEqual(payload[field], wanted[field]));
}

type FoundPoint = { id: string; versionId: string; chunk: number };

/** What Postgres says of the points that it knows. */
async function findKnown(database: Database, points: readonly FoundPoint[]): Promise<Map<string, Placement>> {
  const { rows } = await database.query<Placement & { pointId: string }>(
    `SELECT point.id AS "pointId", ${placementColumns}
     FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS point (id, version_id, index)
     JOIN knowledge_chunks AS chunk USING (version_id, index)
     JOIN knowledge_versions AS version ON version.id = point.version_id
     JOIN knowledge_entries AS entry ON entry.id = version.entry_id WHERE ${placedSql}`,
    [points.map(({ id }) => id), points.map(({ versionId }) => versionId), points.map(({ chunk }) => chunk)],
  );
  return new Map(rows.map(({ pointId, ...placement }) => [pointId, placement]));
}

/** Versions that were whole before the points were read, and are not. */
async function askForLacking(database: Database, counts: Map<string, number>, before: Date): Promise<Ready[]> {
  const { rows } = await database.query<{ id: string; userId: string; chunks: number }>(
    `SELECT version.id, version.created_by AS "userId", version.chunk_count AS chunks
     FROM knowledge_versions AS version JOIN knowledge_entries AS entry ON entry.id = version.entry_id
     WHERE version.state = 'ready' AND version.ready_at < $1 AND ${placedSql}
       AND version.indexed @> int4range(0, version.chunk_count)`,
    [before],
  );
  const ready: Ready[] = [];
  for (const { id, userId, chunks } of rows) {
    if ((counts.get(id) ?? 0) >= chunks) continue;
    const asked = await database.transaction(async (tx) => {
      await tx.query(`UPDATE knowledge_versions SET indexed = '{}' WHERE id = $1`, [id]);
      return askForMissing(tx, id, userId);
    });
    ready.push(...asked);
  }
  return ready;
}
