import type { Sql } from '../database.js';
import type { KnowledgeHit, SearchFilter } from './hit.js';
import { readableSql, type Reader, readerValues, searchableSql } from './policy.js';

/** A point that was found. */
export type FoundPoint = { score: number; versionId: string; chunk: number };

/**
 * Of the points those whose passage the reader finds, or all of several readers may read, at this moment, in their
 * order, with what Postgres says about them. One query for each reader; in a search there is one.
 */
export async function findReadableHits(
  sql: Sql,
  readers: readonly Reader[],
  points: readonly FoundPoint[],
  { tags = [], status }: SearchFilter,
): Promise<KnowledgeHit[]> {
  let left: (FoundPoint | KnowledgeHit)[] = [...points];
  const rule = readers.length > 1 ? 'readable' : 'searchable';
  for (const reader of readers) left = await readableHits(sql, rule, reader, left, { tags, status });
  // Without a reader nothing was looked up, and nothing is to be found.
  return readers.length === 0 ? [] : (left as KnowledgeHit[]);
}

const conditions = { searchable: searchableSql, readable: readableSql };

async function readableHits(
  sql: Sql,
  rule: keyof typeof conditions,
  reader: Reader,
  points: readonly FoundPoint[],
  { tags = [], status }: SearchFilter,
): Promise<KnowledgeHit[]> {
  if (points.length === 0) return [];
  const { rows } = await sql.query<Omit<KnowledgeHit, 'score'> & { place: number }>({
    name: `hits-${rule}`,
    text: `SELECT hit.place::int AS place, chunk.text, entry.id AS "entryId", entry.title, entry.tags,
        version.id AS "versionId", version.n AS version, chunk.index AS chunk, version.file_name AS "fileName",
        chunk.page, chunk.sheet, chunk.slide, chunk.heading_path AS "headingPath", chunk.char_start AS "charStart",
        chunk.char_end AS "charEnd", chunk.language
      FROM unnest($5::uuid[], $6::int[]) WITH ORDINALITY AS hit (version_id, index, place)
      JOIN knowledge_chunks AS chunk ON chunk.version_id = hit.version_id AND chunk.index = hit.index
      JOIN knowledge_versions AS version ON version.id = hit.version_id
      JOIN knowledge_entries AS entry ON entry.id = version.entry_id
      WHERE ${conditions[rule]} AND entry.tags @> $7::text[] AND ($8::text IS NULL OR entry.status = $8)
      ORDER BY hit.place`,
    values: [
      ...readerValues(reader),
      points.map(({ versionId }) => versionId),
      points.map(({ chunk }) => chunk),
      tags,
      status ?? null,
    ],
  });
  return rows.map(({ place, ...hit }) => ({ ...hit, score: points[place - 1]?.score ?? 0 }));
}
