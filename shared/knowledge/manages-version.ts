import type { Sql } from '../database.js';
import { managesSql, type Reader, readerValues } from './policy.js';

/** Whether the reader may change the entry that the version is of, and so is told about it. */
export async function managesVersion(sql: Sql, reader: Reader, versionId: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    `SELECT 1 FROM knowledge_versions AS version JOIN knowledge_entries AS entry ON entry.id = version.entry_id
     WHERE version.id = $5 AND entry.deleted_at IS NULL AND $2::boolean AND ${managesSql}`,
    [...readerValues(reader), versionId],
  );
  return rowCount === 1;
}
