import type { Sql } from '../database.js';
import type { PassagePayload } from './ranking/point.js';

/** What the row of a version says about its points at one moment. */
export type Placement = {
  entryId: string;
  versionId: string;
  ownerId: string;
  /** Not in the payload: its words are in the vectors. */
  title: string;
  tags: string[];
  status: string;
  approved: boolean;
  newest: boolean;
  /** Raised by every change of the above. */
  revision: number;
};

/**
 * A version has points if it is the approved one, or the newest that is ready, or may become that. Of all others
 * nothing is to be found.
 */
export const placedSql = `(entry.deleted_at IS NULL AND version.state <> 'failed'
  AND (version.n = entry.approved_version OR version.n >= coalesce(entry.ready_version, 0)))`;

/** An SQL condition: a later version was ready before this one, which nobody finds any more. */
export const overtakenSql = '(version.n < coalesce(entry.ready_version, 0))';

/**
 * What statements select of a version with the alias `version`. It counts as the newest when all of it is in the
 * index: what is being filled in would only crowd out what can be read.
 */
export const placementColumns = `entry.id AS "entryId", version.id AS "versionId", entry.owner_id AS "ownerId", entry.title, entry.tags,
  entry.status, entry.revision, coalesce(version.n = entry.approved_version, false) AS approved,
  version.n >= coalesce(entry.ready_version, 0) AND (version.state = 'ready' OR version.n = entry.ready_version
    OR (version.extracted AND version.indexed @> int4range(0, version.chunk_count))) AS newest`;

/** @returns null when the version is to have no points: it is gone, or newer ones have taken its place. */
export async function findPlacement(sql: Sql, versionId: string): Promise<Placement | null> {
  const { rows } = await sql.query<Placement>({
    name: 'find-placement',
    text: `SELECT ${placementColumns}
      FROM knowledge_versions AS version JOIN knowledge_entries AS entry ON entry.id = version.entry_id
      WHERE version.id = $1 AND ${placedSql}`,
    values: [versionId],
  });
  return rows[0] ?? null;
}

/** What every point of the version carries, beside its own number. */
export function payloadOf(placement: Placement): Omit<PassagePayload, 'chunk'> {
  return {
    kind: 'entry',
    entryId: placement.entryId,
    versionId: placement.versionId,
    ownerId: placement.ownerId,
    approved: placement.approved,
    newest: placement.newest,
    tags: placement.tags,
    status: placement.status,
    readers: [],
  };
}
