import type { Sql } from '../database.js';
import { AppError } from '../errors.js';
import { lockEntry } from './change-entry.js';
import { type Reader, requireManage } from './policy.js';

/**
 * Stands before another try of a version's way into the index: whoever asked for the first one may have lost the role
 * that puts knowledge in. Lock the job first.
 *
 * @throws AppError `conflict` when the entry was deleted; `not_found` or `forbidden` for who may not change it (any more).
 */
export async function requireRetryable(tx: Sql, reader: Reader, versionId: string): Promise<void> {
  const { rows } = await tx.query<{ entryId: string }>(
    `SELECT entry.id AS "entryId" FROM knowledge_versions AS version
     JOIN knowledge_entries AS entry ON entry.id = version.entry_id
     WHERE version.id = $1 AND entry.deleted_at IS NULL`,
    [versionId],
  );
  if (!rows[0]) throw new AppError('conflict', 'The entry was deleted; there is nothing to try again.');
  requireManage(reader, await lockEntry(tx, rows[0].entryId));
}
