import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type CancelledJobs, cancelJobs } from '../backlog/cancel-jobs.js';
import type { Sql } from '../database.js';
import { notFound } from '../errors.js';
import { line } from '../schemas.js';
import { type Level, levelSchema, requireAccess } from './access.js';

/** What people may set of a document. */
export const documentFields = { title: line(200) };

/** A document as its readers see it in a list; its text is read apart. */
export const documentSchema = z
  .object({
    id: z.uuid(),
    ownerId: z.uuid(),
    ...documentFields,
    level: levelSchema.describe('What you may do.'),
    seq: z.int().describe('Counts the updates of the text.'),
    editedAt: z.iso.datetime().describe('When the text was last changed.'),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime().describe('When the title or the access was last changed.'),
  })
  .meta({ id: 'Document' });

export type DocumentView = z.infer<typeof documentSchema>;

type DocumentRow = {
  id: string;
  ownerId: string;
  title: string;
  level: Level;
  seq: string;
  editedAt: Date;
  createdAt: Date;
  updatedAt: Date;
};

const columns = `document.id, document.owner_id AS "ownerId", document.title, access.level, head.last_seq AS seq,
  head.edited_at AS "editedAt", document.created_at AS "createdAt", document.updated_at AS "updatedAt"`;

const present = (row: DocumentRow): DocumentView => ({
  ...row,
  seq: Number(row.seq),
  editedAt: row.editedAt.toISOString(),
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

/** Makes an empty document. */
export async function createDocument(sql: Sql, input: { ownerId: string; title: string }): Promise<DocumentView> {
  const { rows } = await sql.query<DocumentRow>(
    `WITH document AS (
      INSERT INTO documents (id, owner_id, title) VALUES ($1, $2, $3) RETURNING *
    ), access AS (
      INSERT INTO document_access (document_id, user_id, level) SELECT id, owner_id, 'edit' FROM document RETURNING *
    ), head AS (
      INSERT INTO document_heads (document_id) SELECT id FROM document RETURNING *
    ) SELECT ${columns} FROM document JOIN access ON access.document_id = document.id
    JOIN head ON head.document_id = document.id`,
    [uuidv7(), input.ownerId, input.title],
  );
  return present(rows[0] as DocumentRow);
}

/** @throws AppError `not_found` for whoever may not read it. */
export async function getDocument(sql: Sql, id: string, userId: string): Promise<DocumentView> {
  const { rows } = await sql.query<DocumentRow>(
    `SELECT ${columns} FROM documents AS document JOIN document_access AS access ON access.document_id = document.id
     JOIN document_heads AS head ON head.document_id = document.id
     WHERE document.id = $1 AND access.user_id = $2`,
    [id, userId],
  );
  if (!rows[0]) throw notFound('The document');
  return present(rows[0]);
}

/** Where a page of the list ended. Postgres knows no year 0000. */
export const documentPosition = z.strictObject({ at: z.iso.datetime().refine((at) => at >= '0001'), id: z.uuid() });

/** The documents that an account may read, the one that was edited last first. */
export async function listDocuments(
  sql: Sql,
  query: { userId: string; limit: number; after: z.infer<typeof documentPosition> | null },
): Promise<DocumentView[]> {
  const { rows } = await sql.query<DocumentRow>(
    `SELECT ${columns} FROM document_access AS access JOIN documents AS document ON document.id = access.document_id
     JOIN document_heads AS head ON head.document_id = document.id
     WHERE access.user_id = $1
       AND ($2::timestamptz IS NULL OR (head.edited_at, document.id) < ($2::timestamptz, $3::uuid))
     ORDER BY head.edited_at DESC, document.id DESC LIMIT $4`,
    [query.userId, query.after?.at ?? null, query.after?.id ?? null, query.limit],
  );
  return rows.map(present);
}

/**
 * Deletes a document with everything in it. What the index has of it is removed by a job of the caller's; jobs that
 * index it go on, since they take back what they have written.
 *
 * @returns who could read it, to be told, and what was cancelled.
 */
export async function deleteDocument(
  tx: Sql,
  where: { id: string; userId: string },
): Promise<{ readerIds: string[]; cancelled: CancelledJobs }> {
  await requireAccess(tx, where.id, where.userId, 'owner');
  // First of all: who compacts or gives access holds this one while it waits for the others.
  await tx.query('SELECT 1 FROM documents WHERE id = $1 FOR UPDATE', [where.id]);
  const readers = await tx.query<{ id: string }>('SELECT user_id AS id FROM document_access WHERE document_id = $1', [
    where.id,
  ]);
  // Skipped: a job that compacts holds its row while it waits for the document, which is held here. It finds it gone.
  const cancelled = await cancelJobs(
    tx,
    `SELECT id FROM jobs
     WHERE subject_id = ANY(ARRAY(SELECT $1::uuid UNION ALL SELECT id FROM document_suggestions WHERE document_id = $1))
       AND state IN ('pending', 'queued', 'running') AND kind NOT IN ('index-document', 'sync-payload')
     FOR UPDATE SKIP LOCKED`,
    [where.id],
  );
  // With its head, after which nothing can be added to the log.
  await tx.query('DELETE FROM documents WHERE id = $1', [where.id]);
  await tx.query('DELETE FROM document_updates WHERE document_id = $1', [where.id]);
  return { readerIds: readers.rows.map(({ id }) => id), cancelled };
}
