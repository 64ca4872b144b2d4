import type { Sql } from '../../database.js';

/**
 * An SQL condition: all accounts of the array `users` have access to the document `document` at this moment, whether
 * to view or to edit. Roles do not matter: a guest reads what was shared with them. Of nobody it does not hold.
 */
export const sharedWithAllSql = (
  document: string,
  users: string,
): string => `(cardinality(${users}) > 0 AND NOT EXISTS (
  SELECT 1 FROM unnest(${users}) AS reader (id) WHERE NOT EXISTS (
    SELECT 1 FROM document_access AS access WHERE access.document_id = ${document} AND access.user_id = reader.id)))`;

/**
 * Whether all accounts may read all of the documents. Those stay as they are until the transaction ends: who takes
 * access away, or deletes one, waits for it.
 */
export async function areStillShared(tx: Sql, userIds: string[], documentIds: string[]): Promise<boolean> {
  if (documentIds.length === 0) return true;
  await tx.query('SELECT 1 FROM documents WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE', [documentIds]);
  const { rowCount } = await tx.query(
    `SELECT 1 FROM documents WHERE id = ANY($2::uuid[]) AND ${sharedWithAllSql('documents.id', '$1::uuid[]')}`,
    [userIds, documentIds],
  );
  return rowCount === documentIds.length;
}
