import { everything } from '../adapters/vector-store/filter.js';
import type { VectorStore } from '../adapters/vector-store/vector-store.js';
import type { Ready } from '../backlog/enqueue.js';
import type { Database } from '../database.js';
import { compareDocuments } from './documents/compare.js';
import { askForMissing } from './pipeline.js';
import { placedSql } from './placement.js';

const comparedFields = ['kind', 'entryId', 'versionId', 'chunk', 'accessVersion'] as const;

/**
 * Compares the points with Postgres: those of no passage are deleted, and versions and documents that lack some have
 * them written again.
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
  const documents = compareDocuments(database, startedAt);
  for await (const page of vectors.scroll(everything, { fields: comparedFields })) {
    signal.throwIfAborted();
    const ofDocuments = page.filter(({ payload }) => payload.kind === 'document');
    const points = page
      .filter(({ payload }) => payload.kind !== 'document')
      .map(({ id, payload }) => ({ id, versionId: String(payload.versionId), chunk: Number(payload.chunk) }));
    // Read after the points: a passage is in Postgres before its point is written.
    const known = await findKnown(database, points);
    const strangers = points.filter(({ id }) => !known.has(id)).map(({ id }) => id);
    strangers.push(...(await documents.look(ofDocuments)));
    await vectors.deleteIds(strangers);
    removed += strangers.length;
    for (const { id, versionId } of points) {
      if (known.has(id)) counts.set(versionId, (counts.get(versionId) ?? 0) + 1);
    }
  }
  const ready = [...(await askForLacking(database, counts, startedAt)), ...(await documents.ask())];
  return { removed, ready };
}

async function readClock(database: Database): Promise<Date> {
  const { rows } = await database.query<{ now: Date }>('SELECT now() AS now');
  return rows[0]?.now ?? new Date(0);
}

type FoundPoint = { id: string; versionId: string; chunk: number };

async function findKnown(database: Database, points: readonly FoundPoint[]): Promise<Set<string>> {
  const { rows } = await database.query<{ id: string }>(
    `SELECT point.id FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS point (id, version_id, index)
     JOIN knowledge_chunks AS chunk USING (version_id, index)
     JOIN knowledge_versions AS version ON version.id = point.version_id
     JOIN knowledge_entries AS entry ON entry.id = version.entry_id WHERE ${placedSql}`,
    [points.map(({ id }) => id), points.map(({ versionId }) => versionId), points.map(({ chunk }) => chunk)],
  );
  return new Set(rows.map(({ id }) => id));
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
