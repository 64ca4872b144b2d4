import { z } from 'zod';
import type { Sql } from '../database.js';
import { AppError, notFound } from '../errors.js';
import { maxReaders } from './limits.js';

/** What somebody may do with a document: read it, or read and change it. */
export const levelSchema = z.enum(['view', 'edit']);
export type Level = z.infer<typeof levelSchema>;

/** Somebody who may read a document. */
export const readerSchema = z
  .object({
    userId: z.uuid(),
    name: z.string(),
    level: levelSchema,
    owner: z.boolean(),
    addedAt: z.iso.datetime(),
  })
  .meta({ id: 'DocumentReader' });

type Reader = z.infer<typeof readerSchema>;

/** What an account may do with a document. */
export type Access = { level: Level; owner: boolean };

/** @returns null when the account may not read the document, or there is none. */
async function findAccess(sql: Sql, documentId: string, userId: string): Promise<Access | null> {
  const { rows } = await sql.query<Access>({
    name: 'find-document-access',
    text: `SELECT access.level, document.owner_id = access.user_id AS owner FROM document_access AS access
      JOIN documents AS document ON document.id = access.document_id
      WHERE access.document_id = $1 AND access.user_id = $2`,
    values: [documentId, userId],
  });
  return rows[0] ?? null;
}

/** What is needed for what: the owner may do everything. */
const ranks = { view: 0, edit: 1, owner: 2 } as const;

/** @throws AppError `not_found` for who may not read it, `forbidden` for who may read but not do this. */
export async function requireAccess(
  sql: Sql,
  documentId: string,
  userId: string,
  needed: 'view' | 'edit' | 'owner',
): Promise<Access> {
  const access = await findAccess(sql, documentId, userId);
  if (!access) throw notFound('The document');
  if (ranks[access.owner ? 'owner' : access.level] >= ranks[needed]) return access;
  throw new AppError(
    'forbidden',
    needed === 'owner'
      ? 'Only the owner of the document may do this.'
      : 'You may read this document, but not change it.',
  );
}

/**
 * Reads something of a document for somebody. Asked before, so that a stranger costs nothing, and again when it was read:
 * whose right was taken away before that does not get it.
 *
 * @throws AppError `not_found`
 */
export async function readAsReader<T>(
  sql: Sql,
  documentId: string,
  userId: string,
  read: () => Promise<T>,
): Promise<T> {
  await requireAccess(sql, documentId, userId, 'view');
  const found = await read();
  await requireAccess(sql, documentId, userId, 'view');
  return found;
}

/** Everybody who may read, in the order in which they were added; whoever may read may ask. */
export async function listReaders(sql: Sql, documentId: string, userId: string): Promise<Reader[]> {
  await requireAccess(sql, documentId, userId, 'view');
  const { rows } = await sql.query<Omit<Reader, 'addedAt'> & { addedAt: Date }>(
    `SELECT access.user_id AS "userId", users.name, access.level, document.owner_id = access.user_id AS owner,
       access.created_at AS "addedAt"
     FROM document_access AS access JOIN users ON users.id = access.user_id
     JOIN documents AS document ON document.id = access.document_id
     WHERE access.document_id = $1 ORDER BY access.created_at, access.user_id LIMIT ${maxReaders}`,
    [documentId],
  );
  return rows.map((row) => ({ ...row, addedAt: row.addedAt.toISOString() }));
}

type Change = { documentId: string; byUserId: string; userId: string };

/** Gives access, or changes its level; the owner's cannot be changed. @returns whether anything changed. */
export async function setAccess(tx: Sql, { documentId, byUserId, userId }: Change, level: Level): Promise<boolean> {
  await lockAsOwner(tx, documentId, byUserId);
  if (userId === byUserId) throw new AppError('conflict', 'The owner edits always; that cannot be changed.');
  const known = await tx.query('SELECT 1 FROM users WHERE id = $1 AND disabled_at IS NULL', [userId]);
  if (known.rowCount === 0) throw notFound('The account');
  const { rows } = await tx.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM document_access WHERE document_id = $1 AND user_id <> $2',
    [documentId, userId],
  );
  if ((rows[0]?.count ?? 0) >= maxReaders) {
    throw new AppError('conflict', `A document has at most ${maxReaders} readers.`);
  }
  const { rowCount } = await tx.query(
    `INSERT INTO document_access AS access (document_id, user_id, level) VALUES ($1, $2, $3)
     ON CONFLICT (document_id, user_id) DO UPDATE SET level = $3 WHERE access.level <> $3`,
    [documentId, userId, level],
  );
  if (rowCount === 1) await raiseVersion(tx, documentId);
  return rowCount === 1;
}

/** Takes access away; who has it may give it up. The owner stays. */
export async function removeAccess(tx: Sql, { documentId, byUserId, userId }: Change): Promise<void> {
  if (byUserId === userId) await requireAccess(tx, documentId, userId, 'view');
  else await lockAsOwner(tx, documentId, byUserId);
  const access = await findAccess(tx, documentId, userId);
  if (!access) throw notFound('The reader');
  if (access.owner) throw new AppError('conflict', 'The owner cannot leave; delete the document instead.');
  await tx.query('DELETE FROM document_access WHERE document_id = $1 AND user_id = $2', [documentId, userId]);
  await raiseVersion(tx, documentId);
}

async function lockAsOwner(tx: Sql, documentId: string, userId: string): Promise<void> {
  await requireAccess(tx, documentId, userId, 'owner');
  await tx.query('SELECT 1 FROM documents WHERE id = $1 FOR NO KEY UPDATE', [documentId]);
}

/** So that processes which did not hear of the change see it at their next look. */
async function raiseVersion(tx: Sql, documentId: string): Promise<void> {
  await tx.query('UPDATE documents SET access_version = access_version + 1, updated_at = now() WHERE id = $1', [
    documentId,
  ]);
}
