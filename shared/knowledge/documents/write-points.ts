import { isDeepStrictEqual } from 'node:util';
import type { Embedder } from '../../adapters/embedder/embedder.js';
import type { Point, VectorStore } from '../../adapters/vector-store/vector-store.js';
import type { Database, Sql } from '../../database.js';
import { averageLength } from '../average-length.js';
import { fromBytes } from '../embeddings.js';
import { chunksPerJob } from '../limits.js';
import { passageVector } from '../ranking/bm25.js';
import { writeTargets } from '../vector-index.js';
import { indexedTextOf } from './indexed-text.js';
import { findDocumentPlacement, type DocumentPlacement, payloadOfDocument } from './placement.js';
import { embedPassages } from './vectors.js';

type Deps = { database: Database; vectors: VectorStore; embedder: Embedder };
type Run = { signal: AbortSignal; guard: (tx: Sql) => Promise<void> };

/** Changes that happen while the points are written are rare: so many in a row mean that something is wrong. */
const maxRounds = 10;

/** A passage with what its point is made of. */
export type PassageRow = { id: string; text: string; headingPath: string[]; vector: Buffer | null };

/**
 * Writes the points of the passages that have none. The rows are read again after that: access that was given or
 * taken, a passage that is gone, a document that was deleted meanwhile are not missed, whichever was first.
 *
 * @returns false when the document is gone; points of it may be left.
 */
export async function writePoints(deps: Deps, documentId: string, run: Run): Promise<boolean> {
  const { database, vectors } = deps;
  for (let round = 0; round < maxRounds;) {
    run.signal.throwIfAborted();
    const revision = await readRevision(database, documentId);
    const placement = await findDocumentPlacement(database, documentId);
    if (!placement) return false;
    const targets = await writeTargets(database, vectors);
    const passages = await findPassages(deps, documentId, { unindexed: true });
    if (passages.length === 0) return true;
    if (passages.some(({ vector }) => !vector)) {
      if ((await embedPassages(deps, documentId, passages, run)) === null) return false;
      round += 1;
      continue;
    }
    const average = await averageLength(database);
    const points = toPoints(passages, placement, average);
    for (const store of targets.stores) await store.upsert(points);
    const gone = await findGone(
      database,
      passages.map(({ id }) => id),
    );
    for (const store of targets.stores) await store.deleteIds(gone);
    const after = await findDocumentPlacement(database, documentId);
    const same = isDeepStrictEqual(after, placement) && (await writeTargets(database, vectors)).key === targets.key;
    const ids = passages.map(({ id }) => id);
    const noted =
      same && (await database.transaction((tx) => noteWritten(tx, run, { documentId, ids, revision, average })));
    round = noted ? 0 : round + 1;
  }
  throw new Error('the document changes faster than its points can be written');
}

async function readRevision(sql: Sql, documentId: string): Promise<number> {
  const { rows } = await sql.query<{ revision: number }>(
    'SELECT revision FROM indexed_documents WHERE document_id = $1',
    [documentId],
  );
  return rows[0]?.revision ?? 0;
}

/** Some passages of a document with their vectors, in their order. */
export async function findPassages(
  { database, embedder }: Pick<Deps, 'database' | 'embedder'>,
  documentId: string,
  which: { unindexed?: boolean; after?: string },
): Promise<PassageRow[]> {
  const { rows } = await database.query<PassageRow>({
    name: 'document-passages-with-vectors',
    text: `SELECT chunk.id, chunk.text, chunk.heading_path AS "headingPath", embeddings.vector
      FROM document_chunks AS chunk
      LEFT JOIN embeddings ON embeddings.content_hash = chunk.content_hash AND embeddings.model = $2
        AND octet_length(embeddings.vector) = $3
      WHERE chunk.document_id = $1 AND chunk.index IS NOT NULL AND (NOT $4::boolean OR chunk.indexed_at IS NULL)
        AND ($5::uuid IS NULL OR chunk.id > $5) ORDER BY chunk.id LIMIT ${chunksPerJob}`,
    values: [documentId, embedder.model, embedder.size * 4, which.unindexed ?? false, which.after ?? null],
  });
  return rows;
}

export function toPoints(passages: readonly PassageRow[], placement: DocumentPlacement, average: number): Point[] {
  const payload = payloadOfDocument(placement);
  return passages.flatMap(({ id, vector, ...passage }) =>
    vector
      ? [
          {
            id,
            dense: fromBytes(vector),
            sparse: passageVector(indexedTextOf(passage), average, placement.title),
            payload,
          },
        ]
      : [],
  );
}

/** Those of the ids that are in no text any more. They never come back, so that taking them out is always right. */
export async function findGone(sql: Sql, ids: string[]): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT id::text AS id FROM unnest($1::uuid[]) AS id WHERE NOT EXISTS (
       SELECT 1 FROM document_chunks AS chunk JOIN documents ON documents.id = chunk.document_id
       WHERE chunk.id = id.id AND chunk.index IS NOT NULL)`,
    [ids],
  );
  return rows.map(({ id }) => id);
}

type Written = { documentId: string; ids: string[]; revision: number; average: number };

/** @returns false when all points were asked for again meanwhile. */
async function noteWritten(tx: Sql, run: Run, { documentId, ids, revision, average }: Written): Promise<boolean> {
  await run.guard(tx);
  const { rowCount } = await tx.query(
    `UPDATE indexed_documents SET average_length = coalesce(average_length, $3) WHERE document_id = $1 AND revision = $2`,
    [documentId, revision, average],
  );
  if (rowCount !== 1) return false;
  await tx.query({
    name: 'note-points-written',
    text: 'UPDATE document_chunks SET indexed_at = now() WHERE id = ANY($1::uuid[])',
    values: [ids],
  });
  return true;
}
