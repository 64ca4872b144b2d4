import { can } from '../accounts/policy.js';
import type { Role } from '../accounts/principal.js';
import { AppError, notFound } from '../errors.js';

/** Who wants to see or do something. */
export type Reader = { userId: string; role: Role };

/** What decides about an entry: whose it is, and which of its versions were approved or can be searched. */
export type EntryFacts = {
  ownerId: string;
  lastVersion: number;
  readyVersion: number | null;
  approvedVersion: number | null;
};

/** Whether the reader may change the entry, and so sees everything of it. */
function manages({ userId, role }: Reader, entry: Pick<EntryFacts, 'ownerId'>): boolean {
  return can(role, 'knowledge:manage-all') || (can(role, 'knowledge:create') && entry.ownerId === userId);
}

/** The version that the reader is shown; null when the entry does not exist for them. */
export function visibleVersion(reader: Reader, entry: EntryFacts): number | null {
  if (!can(reader.role, 'knowledge:read')) return null;
  return manages(reader, entry) ? entry.lastVersion : entry.approvedVersion;
}

/** @throws AppError `not_found` for who may not see the entry, `forbidden` for who sees but may not change it. */
export function requireManage(reader: Reader, entry: EntryFacts): void {
  if (visibleVersion(reader, entry) === null) throw notFound('The entry');
  if (!manages(reader, entry)) throw new AppError('forbidden', 'Only its owner and admins may do this with an entry.');
}

/**
 * {@link manages} for statements. The entry has the alias `entry`; `$1` to `$4` are {@link readerValues}.
 */
export const managesSql = '($3::boolean OR ($4::boolean AND entry.owner_id = $1::uuid))';

/** An SQL condition: the version with the alias `version` is the one that is shown. */
export const visibleSql = `($2::boolean AND entry.deleted_at IS NULL AND version.n =
  CASE WHEN ${managesSql} THEN entry.last_version ELSE entry.approved_version END)`;

/** An SQL condition: the version with the alias `version` is the one in which passages are found. */
export const searchableSql = `($2::boolean AND entry.deleted_at IS NULL AND version.n =
  CASE WHEN ${managesSql} THEN entry.ready_version ELSE entry.approved_version END)`;

/**
 * An SQL condition: passages of the version with the alias `version` may be read. What one manages is found in its
 * newest version, but what others read of it is no secret.
 */
export const readableSql = `($2::boolean AND entry.deleted_at IS NULL
  AND (version.n = entry.approved_version OR (${managesSql} AND version.n = entry.ready_version)))`;

/** The values of `$1` to `$4` in the conditions above. */
export function readerValues({ userId, role }: Reader): [string, boolean, boolean, boolean] {
  return [userId, can(role, 'knowledge:read'), can(role, 'knowledge:manage-all'), can(role, 'knowledge:create')];
}
