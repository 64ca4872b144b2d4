import { isDeepStrictEqual } from 'node:util';
import { all, is } from '../adapters/vector-store/filter.js';
import type { Point, VectorStore } from '../adapters/vector-store/vector-store.js';
import type { Sql } from '../database.js';
import { averageLength } from './average-length.js';
import { fromBytes } from './embeddings.js';
import { indexedText } from './indexed-text.js';
import type { ChunkRange } from './pipeline.js';
import { findPlacement, payloadOf, type Placement } from './placement.js';
import { passageVector } from './ranking/bm25.js';
import { pointId } from './ranking/point.js';
import { writeTargets } from './vector-index.js';

/** What became of the chunks: `removed` when their version is to have no points. */
export type Indexed =
  /** `completes`: they were the last that the version lacked, and all of its points say now that it is the newest. */
  | { state: 'written'; averageLength: number; completes: boolean }
  | { state: 'removed' }
  /** Some of them have no vector: they are to be embedded first. */
  | { state: 'without-vectors' };

/** Changes that happen while the points are written are rare: so many in a row mean that something is wrong. */
const maxRounds = 10;

/**
 * Makes the points of the chunks agree with Postgres. The row is read again after the points were written: an
 * approval, a deletion or a re-index that came in between is not lost, whichever of the two was first.
 */
export async function indexChunks(
  deps: { database: Sql; vectors: VectorStore; model: string },
  range: ChunkRange,
  signal: AbortSignal,
): Promise<Indexed> {
  const { database, vectors } = deps;
  let placement = await findPlacement(database, range.versionId);
  let targets = await writeTargets(database, vectors);
  const average = await averageLength(database);
  for (let round = 0; round < maxRounds; round += 1) {
    signal.throwIfAborted();
    const completes = placement !== null && !placement.newest && (await completesVersion(database, range));
    if (placement) {
      const stated = { ...placement, newest: placement.newest || completes };
      const points = await makePoints(database, deps.model, range, stated, average);
      if (!points) return { state: 'without-vectors' };
      for (const store of targets.stores) {
        await store.upsert(points);
        if (completes) await store.setPayload({ newest: true }, all(is('versionId', range.versionId)));
      }
    } else {
      for (const store of targets.stores) await store.deleteIds(idsOf(range));
    }
    const after = await findPlacement(database, range.versionId);
    const targetsAfter = await writeTargets(database, vectors);
    if (isDeepStrictEqual(after, placement) && targetsAfter.key === targets.key) {
      return placement ? { state: 'written', averageLength: average, completes } : { state: 'removed' };
    }
    placement = after;
    targets = targetsAfter;
  }
  throw new Error('the entry changes faster than its points can be written');
}

/** Whether the version has everything but these chunks in the index. */
async function completesVersion(sql: Sql, { versionId, from, to }: ChunkRange): Promise<boolean> {
  const { rows } = await sql.query<{ completes: boolean }>({
    name: 'completes-version',
    text: `SELECT extracted AND indexed + int4multirange(int4range($2, $3)) @> int4range(0, chunk_count) AS completes
      FROM knowledge_versions WHERE id = $1`,
    values: [versionId, from, to],
  });
  return rows[0]?.completes === true;
}

function idsOf({ versionId, from, to }: ChunkRange): string[] {
  return Array.from({ length: to - from }, (_, offset) => pointId(versionId, from + offset));
}

/** @returns null when a chunk has no vector. */
export async function makePoints(
  sql: Sql,
  model: string,
  range: ChunkRange,
  placement: Placement,
  average: number,
): Promise<Point[] | null> {
  const { rows } = await sql.query<{ index: number; text: string; headingPath: string[]; vector: Buffer | null }>({
    name: 'chunks-with-vectors',
    text: `SELECT chunk.index, chunk.text, chunk.heading_path AS "headingPath", embeddings.vector
      FROM knowledge_chunks AS chunk
      LEFT JOIN embeddings ON embeddings.content_hash = chunk.content_hash AND embeddings.model = $4
      WHERE chunk.version_id = $1 AND chunk.index >= $2 AND chunk.index < $3 ORDER BY chunk.index`,
    values: [range.versionId, range.from, range.to, model],
  });
  const points: Point[] = [];
  const payload = payloadOf(placement);
  for (const { index, vector, ...chunk } of rows) {
    if (!vector) return null;
    points.push({
      id: pointId(range.versionId, index),
      dense: fromBytes(vector),
      sparse: passageVector(indexedText(chunk), average, placement.title),
      payload: { ...payload, chunk: index },
    });
  }
  return points;
}
