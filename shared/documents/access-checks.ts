import type { Sql } from '../database.js';

/** Of each document that exists a value that changes with every change of who may read it. */
export async function readAccessMarks(sql: Sql, documentIds: string[]): Promise<Map<string, string>> {
  const { rows } = await sql.query<{ id: string; mark: string }>({
    name: 'document-access-marks',
    text: 'SELECT id, access_version::text AS mark FROM documents WHERE id = ANY($1::uuid[])',
    values: [documentIds],
  });
  return new Map(rows.map(({ id, mark }) => [id, mark]));
}

/** Of the given pairs those that may read, in one query. */
export async function findReaders(
  sql: Sql,
  pairs: { id: string; userId: string }[],
): Promise<{ id: string; userId: string }[]> {
  const { rows } = await sql.query<{ id: string; userId: string }>({
    name: 'find-document-readers',
    text: `SELECT document_id AS id, user_id AS "userId" FROM document_access
      JOIN unnest($1::uuid[], $2::uuid[]) AS pair (document_id, user_id) USING (document_id, user_id)`,
    values: [pairs.map(({ id }) => id), pairs.map(({ userId }) => userId)],
  });
  return rows;
}
