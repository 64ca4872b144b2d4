import { z } from 'zod';
import type { Sql } from '../database.js';
import { notFound } from '../errors.js';
import { thinOut } from './version-schedule.js';

/** A version as lists show it. */
export const versionSchema = z
  .object({
    n: z.int().positive(),
    authorIds: z.array(z.uuid()).describe('Who edited since the version before.'),
    reason: z.enum(['schedule', 'before-restore']),
    editedAt: z.iso.datetime().describe('When the last edit in it was made.'),
    createdAt: z.iso.datetime(),
    bytes: z.int().describe('Of the text in UTF-8.'),
  })
  .meta({ id: 'DocumentVersion' });

type Version = z.infer<typeof versionSchema>;
type VersionRow = Omit<Version, 'editedAt' | 'createdAt'> & { editedAt: Date; createdAt: Date };

const columns = `n, author_ids AS "authorIds", reason, edited_at AS "editedAt", created_at AS "createdAt",
  octet_length(content) AS bytes`;

const present = (row: VersionRow): Version => ({
  ...row,
  editedAt: row.editedAt.toISOString(),
  createdAt: row.createdAt.toISOString(),
});

/** A text to be kept; times in milliseconds of the epoch. */
export type NewVersion = { content: string; authorIds: string[]; reason: Version['reason']; editedAt: number };

/** Keeps texts as the next versions, but for one that is the same as the version before it. */
export async function insertVersions(tx: Sql, documentId: string, versions: NewVersion[]): Promise<void> {
  for (const { content, authorIds, reason, editedAt } of versions) {
    await tx.query(
      `INSERT INTO document_versions (document_id, n, content, author_ids, reason, edited_at)
       SELECT $1, coalesce(max(n), 0) + 1, $2, $3, $4, $5 FROM document_versions WHERE document_id = $1
       HAVING NOT EXISTS (
         SELECT 1 FROM document_versions AS known WHERE known.document_id = $1 AND known.content = $2
           AND known.n = (SELECT max(n) FROM document_versions WHERE document_id = $1))`,
      [documentId, Buffer.from(content), authorIds, reason, new Date(editedAt)],
    );
  }
}

/** Says why the newest version is kept. */
export async function markNewestVersion(sql: Sql, documentId: string, reason: Version['reason']): Promise<void> {
  await sql.query(
    `UPDATE document_versions SET reason = $2
     WHERE document_id = $1 AND n = (SELECT max(n) FROM document_versions WHERE document_id = $1)`,
    [documentId, reason],
  );
}

/** Deletes the versions that the schedule does not keep. */
export async function thinVersions(tx: Sql, documentId: string, now: number): Promise<void> {
  const { rows } = await tx.query<{ n: number; editedAt: Date; reason: string }>(
    'SELECT n, edited_at AS "editedAt", reason FROM document_versions WHERE document_id = $1',
    [documentId],
  );
  const gone = thinOut(
    rows.map((row) => ({ ...row, editedAt: row.editedAt.getTime() })),
    now,
  );
  if (gone.length === 0) return;
  await tx.query('DELETE FROM document_versions WHERE document_id = $1 AND n = ANY($2::int[])', [documentId, gone]);
}

/** The versions of a document, newest first. */
export async function listVersions(
  sql: Sql,
  query: { documentId: string; limit: number; before: number | null },
): Promise<Version[]> {
  const { rows } = await sql.query<VersionRow>(
    `SELECT ${columns} FROM document_versions WHERE document_id = $1 AND ($2::int IS NULL OR n < $2)
     ORDER BY n DESC LIMIT $3`,
    [query.documentId, query.before, query.limit],
  );
  return rows.map(present);
}

/** @throws AppError `not_found` */
export async function readVersion(sql: Sql, documentId: string, n: number): Promise<Version & { content: string }> {
  const { rows } = await sql.query<VersionRow & { content: Buffer }>(
    `SELECT ${columns}, content FROM document_versions WHERE document_id = $1 AND n = $2`,
    [documentId, n],
  );
  const [row] = rows;
  if (!row) throw notFound('The version');
  return { ...present(row), content: row.content.toString('utf8') };
}
