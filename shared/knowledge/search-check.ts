import { can } from '../accounts/policy.js';
import type { Sql } from '../database.js';
import { sharedWithAllSql } from './documents/rights.js';
import type { DocumentHit, EntryHit, KnowledgeHit, SearchFilter } from './hit.js';
import { managesSql, readableSql, type Reader, readerValues, searchableSql } from './policy.js';

/** A point of an entry that was found. */
type FoundEntry = { kind: 'entry'; score: number; versionId: string; chunk: number };
/** A point of a document; its id is that of the passage. */
type FoundDocument = { kind: 'document'; score: number; id: string };
export type FoundPoint = FoundEntry | FoundDocument;

/**
 * Of the points those whose passage the reader finds, or all of several readers may read, at this moment, in their
 * order, with what Postgres says about them.
 */
export async function findReadableHits(
  sql: Sql,
  readers: readonly Reader[],
  points: readonly FoundPoint[],
  filter: SearchFilter,
): Promise<KnowledgeHit[]> {
  // Without a reader nothing is looked up, and nothing is to be found.
  if (readers.length === 0 || points.length === 0) return [];
  const entryPoints = points.filter((point) => point.kind === 'entry');
  const documentPoints = points.filter((point) => point.kind === 'document');
  const checked = await Promise.all([
    readableEntries(sql, readers, entryPoints, filter),
    readableDocuments(sql, readers, documentPoints),
  ]);
  const hits = new Map<FoundPoint, KnowledgeHit>(checked.flat().map(({ point, hit }) => [point, hit]));
  return points.flatMap((point) => hits.get(point) ?? []);
}

type Checked<Point, Hit> = { point: Point; hit: Hit };

const conditions = { searchable: searchableSql, readable: readableSql };

/** One query for each reader; in a search there is one. Of those who own no entries one stands for all of a role. */
async function readableEntries(
  sql: Sql,
  readers: readonly Reader[],
  points: readonly FoundEntry[],
  filter: SearchFilter,
): Promise<Checked<FoundEntry, EntryHit>[]> {
  const rule = readers.length > 1 ? 'readable' : 'searchable';
  let left: Checked<FoundEntry, EntryHit>[] = [];
  let asked = points;
  for (const reader of differing(readers)) {
    left = await readableByOne(sql, rule, reader, asked, filter);
    asked = left.map(({ point }) => point);
  }
  return left;
}

function differing(readers: readonly Reader[]): Reader[] {
  const keyOf = ({ userId, role }: Reader): string => (can(role, 'knowledge:create') ? userId : role);
  return [...new Map(readers.map((reader) => [keyOf(reader), reader])).values()];
}

async function readableByOne(
  sql: Sql,
  rule: keyof typeof conditions,
  reader: Reader,
  points: readonly FoundEntry[],
  { tags = [], status }: SearchFilter,
): Promise<Checked<FoundEntry, EntryHit>[]> {
  if (points.length === 0) return [];
  const { rows } = await sql.query<Omit<EntryHit, 'kind' | 'score' | 'documentId' | 'seq'> & { place: number }>({
    name: `hits-${rule}`,
    text: `SELECT hit.place::int AS place, chunk.text, entry.id AS "entryId", entry.title, entry.tags,
        version.id AS "versionId", version.n AS version, chunk.index AS chunk, version.file_name AS "fileName",
        chunk.page, chunk.sheet, chunk.slide, chunk.heading_path AS "headingPath", chunk.char_start AS "charStart",
        chunk.char_end AS "charEnd", chunk.language
      FROM unnest($5::uuid[], $6::int[]) WITH ORDINALITY AS hit (version_id, index, place)
      JOIN knowledge_chunks AS chunk ON chunk.version_id = hit.version_id AND chunk.index = hit.index
      JOIN knowledge_versions AS version ON version.id = hit.version_id
      JOIN knowledge_entries AS entry ON entry.id = version.entry_id
      WHERE ${conditions[rule]} AND entry.tags @> $7::text[] 
        AND ($8::text IS NULL OR CASE WHEN ${managesSql} THEN entry.status ELSE 'approved' END = $8)
      ORDER BY hit.place`,
    values: [
      ...readerValues(reader),
      points.map(({ versionId }) => versionId),
      points.map(({ chunk }) => chunk),
      tags,
      status ?? null,
    ],
  });
  return rows.flatMap(({ place, ...row }) => {
    const point = points[place - 1];
    const hit = { kind: 'entry', ...row, score: point?.score ?? 0, documentId: null, seq: null } as const;
    return point ? [{ point, hit }] : [];
  });
}

async function readableDocuments(
  sql: Sql,
  readers: readonly Reader[],
  points: readonly FoundDocument[],
): Promise<Checked<FoundDocument, DocumentHit>[]> {
  if (points.length === 0) return [];
  type Row = Pick<
    DocumentHit,
    'text' | 'documentId' | 'title' | 'seq' | 'chunk' | 'headingPath' | 'charStart' | 'charEnd' | 'language'
  >;
  const { rows } = await sql.query<Row & { place: number }>({
    name: 'hits-in-documents',
    text: `SELECT hit.place::int AS place, chunk.text, document.id AS "documentId", document.title,
        known.seq::float8 AS seq, chunk.index AS chunk, chunk.heading_path AS "headingPath",
        chunk.char_start AS "charStart", chunk.char_end AS "charEnd", chunk.language
      FROM unnest($2::uuid[]) WITH ORDINALITY AS hit (id, place)
      JOIN document_chunks AS chunk ON chunk.id = hit.id AND chunk.index IS NOT NULL
      JOIN indexed_documents AS known ON known.document_id = chunk.document_id
      JOIN documents AS document ON document.id = chunk.document_id
      WHERE ${sharedWithAllSql('document.id', '$1::uuid[]')} ORDER BY hit.place`,
    values: [readers.map(({ userId }) => userId), points.map(({ id }) => id)],
  });
  const none = { tags: [], entryId: null, versionId: null, version: null, fileName: null };
  return rows.flatMap(({ place, ...row }) => {
    const point = points[place - 1];
    const where = { page: null, sheet: null, slide: null };
    const hit = { kind: 'document', ...row, ...none, ...where, score: point?.score ?? 0 } as const;
    return point ? [{ point, hit }] : [];
  });
}
