import type { Ready } from '../backlog/enqueue.js';
import type { Sql } from '../database.js';
import { AppError } from '../errors.js';
import { lockEntry, syncPoints } from './change-entry.js';
import type { Reader } from './policy.js';
import { move } from './status.js';

/** Asks for the newest version to be approved. */
export async function submitEntry(tx: Sql, reader: Reader, id: string): Promise<Ready> {
  const entry = await lockEntry(tx, id);
  const status = move(reader, entry, 'submit');
  await tx.query(
    'UPDATE knowledge_entries SET status = $2, reason = NULL, revision = revision + 1, updated_at = now() WHERE id = $1',
    [id, status],
  );
  return syncPoints(tx, { entryId: id, userId: reader.userId });
}

/**
 * Shows the newest version to everybody.
 *
 * @param version the one that was looked at: another one is not approved by mistake.
 * @throws AppError `conflict` when it cannot be searched yet, or is not the newest any more.
 */
export async function approveEntry(
  tx: Sql,
  reader: Reader,
  { id, version }: { id: string; version?: number | undefined },
): Promise<Ready> {
  const entry = await lockEntry(tx, id);
  const status = move(reader, entry, 'approve');
  if (version !== undefined && version !== entry.lastVersion) {
    throw new AppError('conflict', `Version ${version} is not the newest any more; that is ${entry.lastVersion}.`);
  }
  if (entry.readyVersion !== entry.lastVersion) {
    throw new AppError(
      'conflict',
      'The newest version cannot be searched yet: it is being read, or could not be read.',
    );
  }
  await tx.query(
    `UPDATE knowledge_entries SET status = $2, reason = NULL, approved_version = last_version, revision = revision + 1,
       updated_at = now(), shown_at = now() WHERE id = $1`,
    [id, status],
  );
  return syncPoints(tx, { entryId: id, userId: reader.userId });
}

/**
 * Sends a version back: the newest, or the approved one, which is taken back from everybody. What is newer than that one
 * stays as it is, and so does the approved one where a newer one is sent back.
 *
 * @param version the one that was looked at, the newest unless given: another one is not rejected by mistake.
 * @throws AppError `conflict` when it is neither of the two, or its status does not allow it.
 */
export async function rejectEntry(
  tx: Sql,
  reader: Reader,
  { id, reason, version }: { id: string; reason: string; version?: number | undefined },
): Promise<Ready> {
  const entry = await lockEntry(tx, id);
  const rejected = version ?? entry.lastVersion;
  const isNewest = rejected === entry.lastVersion;
  const status = move(reader, entry, isNewest ? 'reject' : 'rejectEarlier');
  if (!isNewest && rejected !== entry.approvedVersion) {
    const approved = entry.approvedVersion === null ? 'none is approved' : `approved is ${entry.approvedVersion}`;
    throw new AppError(
      'conflict',
      `Version ${rejected} is not the newest, which is ${entry.lastVersion}; ${approved}.`,
    );
  }
  await tx.query(
    `UPDATE knowledge_entries SET status = $2, reason = $3, revision = revision + 1, updated_at = now(),
       approved_version = nullif(approved_version, $4) WHERE id = $1`,
    [id, status, reason, rejected],
  );
  return syncPoints(tx, { entryId: id, userId: reader.userId });
}
