import { isDeepStrictEqual } from 'node:util';
import type { Embedder } from '../../adapters/embedder/embedder.js';
import type { VectorStore } from '../../adapters/vector-store/vector-store.js';
import type { Database } from '../../database.js';
import { averageLength } from '../average-length.js';
import { findDocumentPlacement } from './placement.js';
import { embedPassages } from './vectors.js';
import { findGone, findPassages, toPoints } from './write-points.js';

type Deps = { database: Database; embedder: Embedder; target: VectorStore };

/** The documents that a re-index has to write, and how many passages they have. */
export async function documentsToFill(database: Database): Promise<{ id: string; chunks: number }[]> {
  const { rows } = await database.query<{ id: string; chunks: number }>(
    `SELECT document_id AS id, chunk_count AS chunks FROM indexed_documents WHERE chunk_count > 0 ORDER BY document_id`,
  );
  return rows;
}

/** Everything goes on meanwhile: what is edited or shared while this runs is written to both collections by its jobs. */
export async function fillDocument(
  deps: Deps,
  documentId: string,
  signal: AbortSignal,
): Promise<{ points: number; embedded: number }> {
  const { database, target } = deps;
  const count = { points: 0, embedded: 0 };
  for (let after: string | undefined; ;) {
    signal.throwIfAborted();
    const placement = await findDocumentPlacement(database, documentId);
    const passages = await findPassages(deps, documentId, after === undefined ? {} : { after });
    if (!placement || passages.length === 0) return count;
    const lacking = passages.filter(({ vector }) => !vector);
    // No claim to guard: this is no job.
    const made = await embedPassages(deps, documentId, lacking, { signal, guard: async () => {} });
    count.embedded += made ?? 0;
    if (lacking.length > 0 && made !== null) continue;
    const points = toPoints(passages, placement, await averageLength(database));
    await target.upsert(points);
    const ids = points.map(({ id }) => id);
    await target.deleteIds(await findGone(database, ids));
    if (!isDeepStrictEqual(await findDocumentPlacement(database, documentId), placement)) continue;
    count.points += points.length;
    after = ids.at(-1) ?? passages.at(-1)?.id;
  }
}
