import type { Sql } from '../database.js';

/**
 * Keeps the entry of a version from being deleted or changed until the transaction ends. What writes to a version
 * does this first, after the claim of its job, so that all take their locks in one order: job, entry, version. The
 * row of another job is never locked in such a transaction: the renewal of leases locks many of them in any order.
 *
 * @returns false when the entry is deleted.
 */
export async function holdVersion(tx: Sql, versionId: string): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'hold-version',
    text: `SELECT 1 FROM knowledge_entries WHERE id = (SELECT entry_id FROM knowledge_versions WHERE id = $1)
      AND deleted_at IS NULL FOR NO KEY UPDATE`,
    values: [versionId],
  });
  return rowCount === 1;
}

/**
 * {@link holdVersion} for the job that reads, which has nothing more to do once a stage behind it has failed the
 * version. The row of the version is locked too: its state is the one of this moment then, and not the one from before
 * the wait for the entry.
 *
 * @returns false when the version is not on its way any more, or the entry is deleted.
 */
export async function holdReading(tx: Sql, versionId: string): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'hold-reading',
    text: `SELECT 1 FROM knowledge_entries AS entry JOIN knowledge_versions AS version ON version.entry_id = entry.id
      WHERE version.id = $1 AND version.state = 'ingesting' AND entry.deleted_at IS NULL
      FOR NO KEY UPDATE OF entry, version`,
    values: [versionId],
  });
  return rowCount === 1;
}
