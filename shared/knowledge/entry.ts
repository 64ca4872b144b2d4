import { z } from 'zod';
import type { Sql } from '../database.js';
import { notFound } from '../errors.js';
import { line } from '../schemas.js';
import { maxTagLength, maxTags, maxTitleLength } from './limits.js';
import { managesSql, type Reader, readerValues, visibleSql } from './policy.js';
import { type Status, statuses } from './status.js';
import { presentVersion, versionColumns, type VersionRow, versionSchema } from './version.js';

/** Queries name several, with commas in between: one with a comma in it would never be found. */
export const tagSchema = line(maxTagLength)
  .refine((tag) => !tag.includes(','), 'must not contain a comma')
  .transform((tag) => tag.toLowerCase());

/** What people may set of an entry beside its content. */
export const entryFields = {
  title: line(maxTitleLength),
  tags: z
    .array(tagSchema)
    .max(maxTags)
    .transform((tags) => [...new Set(tags)]),
};

export const entrySchema = z
  .object({
    id: z.uuid(),
    ownerId: z.uuid(),
    title: z.string(),
    tags: z.array(z.string()),
    status: z.enum(statuses).describe('Of the newest version; to readers it is always approved.'),
    reason: z
      .string()
      .nullable()
      .describe('Why it was rejected, or its approved version was taken back; for its owner and admins.'),
    version: versionSchema.describe('The newest version for its owner and admins, for others the approved one.'),
    approvedVersion: z.int().nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'KnowledgeEntry' });

export type EntryView = z.infer<typeof entrySchema>;

type EntryRow = VersionRow & {
  entryId: string;
  ownerId: string;
  title: string;
  tags: string[];
  status: Status;
  reason: string | null;
  approvedVersion: number | null;
  manages: boolean;
  entryCreatedAt: Date;
  updatedAt: Date;
  shownAt: Date | null;
};

const columns = `${versionColumns}, entry.id AS "entryId", entry.owner_id AS "ownerId", entry.title, entry.tags,
  entry.status, entry.reason, entry.approved_version AS "approvedVersion", ${managesSql} AS manages,
  entry.created_at AS "entryCreatedAt", entry.updated_at AS "updatedAt", entry.shown_at AS "shownAt"`;

const source = 'knowledge_entries AS entry JOIN knowledge_versions AS version ON version.entry_id = entry.id';

function present(row: EntryRow): EntryView {
  return {
    id: row.entryId,
    ownerId: row.ownerId,
    title: row.title,
    tags: row.tags,
    status: row.manages ? row.status : 'approved',
    reason: row.manages ? row.reason : null,
    version: presentVersion(row, row.manages),
    approvedVersion: row.approvedVersion,
    createdAt: row.entryCreatedAt.toISOString(),
    // That there is a newer draft is not for readers to know.
    updatedAt: (row.manages ? row.updatedAt : (row.shownAt ?? row.entryCreatedAt)).toISOString(),
  };
}

/** The entry as the reader sees it. @throws AppError `not_found` */
export async function getEntry(sql: Sql, reader: Reader, id: string): Promise<EntryView> {
  const { rows } = await sql.query<EntryRow>({
    name: 'get-entry',
    text: `SELECT ${columns} FROM ${source} WHERE entry.id = $5 AND ${visibleSql}`,
    values: [...readerValues(reader), id],
  });
  if (!rows[0]) throw notFound('The entry');
  return present(rows[0]);
}

/** The text that the visible version was made of; null when it was made from a file. @throws AppError `not_found` */
export async function getContent(sql: Sql, reader: Reader, id: string): Promise<string | null> {
  const { rows } = await sql.query<{ content: string | null }>(
    `SELECT version.content FROM ${source} WHERE entry.id = $5 AND ${visibleSql}`,
    [...readerValues(reader), id],
  );
  if (!rows[0]) throw notFound('The entry');
  return rows[0].content;
}

export type EntryFilter = {
  status?: Status | undefined;
  /** All of them. */
  tags?: string[] | undefined;
  ownerId?: string | undefined;
  /** Looked for in the title, as plain text in any case. */
  q?: string | undefined;
  state?: VersionRow['state'] | undefined;
};

/** What the reader may see, newest first. */
export async function listEntries(
  sql: Sql,
  reader: Reader,
  query: EntryFilter & { limit: number; before: string | null },
): Promise<EntryView[]> {
  const { rows } = await sql.query<EntryRow>(
    `SELECT ${columns} FROM ${source}
     WHERE ${visibleSql} AND ($5::uuid IS NULL OR entry.id < $5)
       AND ($6::text IS NULL OR CASE WHEN ${managesSql} THEN entry.status ELSE 'approved' END = $6)
       AND ($7::text[] IS NULL OR entry.tags @> $7) AND ($8::uuid IS NULL OR entry.owner_id = $8)
       AND ($9::text IS NULL OR strpos(lower(entry.title), lower($9)) > 0) AND ($10::text IS NULL OR version.state = $10)
     ORDER BY entry.id DESC LIMIT $11`,
    [
      ...readerValues(reader),
      query.before,
      query.status ?? null,
      query.tags?.length ? query.tags : null,
      query.ownerId ?? null,
      query.q ?? null,
      query.state ?? null,
      query.limit,
    ],
  );
  return rows.map(present);
}

/** The versions that the reader may see, newest first: all of them, or the approved one. @throws AppError `not_found` */
export async function listVersions(
  sql: Sql,
  reader: Reader,
  query: { id: string; limit: number; before: number | null },
): Promise<z.infer<typeof versionSchema>[]> {
  await getEntry(sql, reader, query.id);
  const { rows } = await sql.query<VersionRow & { manages: boolean }>(
    `SELECT ${versionColumns}, ${managesSql} AS manages FROM ${source}
     WHERE entry.id = $5 AND (${visibleSql} OR (${managesSql} AND entry.deleted_at IS NULL))
       AND ($6::int IS NULL OR version.n < $6) ORDER BY version.n DESC LIMIT $7`,
    [...readerValues(reader), query.id, query.before, query.limit],
  );
  return rows.map((row) => presentVersion(row, row.manages));
}

/** The file of a version that the reader may see. @throws AppError `not_found` also for a version made from text. */
export async function findFile(
  sql: Sql,
  reader: Reader,
  where: { id: string; n: number | undefined },
): Promise<{ objectKey: string; size: number; sha256: string; fileName: string; mimeType: string | null }> {
  const { rows } = await sql.query<{
    objectKey: string;
    size: number;
    sha256: Buffer;
    fileName: string;
    mimeType: string | null;
  }>(
    `SELECT files.object_key AS "objectKey", files.size::float8 AS size, files.sha256,
       version.file_name AS "fileName", version.mime_type AS "mimeType"
     FROM ${source} JOIN files ON files.sha256 = version.file_sha256
     WHERE entry.id = $5 AND (($6::int IS NULL AND ${visibleSql})
       OR (version.n = $6 AND (${visibleSql} OR ($2 AND ${managesSql} AND entry.deleted_at IS NULL))))`,
    [...readerValues(reader), where.id, where.n ?? null],
  );
  if (!rows[0]) throw notFound('The file');
  return { ...rows[0], sha256: rows[0].sha256.toString('hex') };
}
