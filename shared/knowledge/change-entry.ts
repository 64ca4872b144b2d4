import type { CancelledJobs } from '../backlog/cancel-jobs.js';
import { v7 as uuidv7 } from 'uuid';
import { requirePermission } from '../accounts/policy.js';
import { enqueue, type Ready } from '../backlog/enqueue.js';
import type { Sql } from '../database.js';
import { notFound } from '../errors.js';
import { outdateEntry } from './average-length.js';
import { cancelWork } from './cancel-work.js';
import { keepFile } from './files.js';
import { type EntryFacts, type Reader, requireManage } from './policy.js';
import { move, type Status } from './status.js';
import type { NewContent } from './version.js';

/** What was accepted: the job that makes the version searchable, and whom the dispatcher should look at. */
export type Accepted = { id: string; versionId: string; jobId: string; ready: Ready };

/** Makes an entry with its first version and the job that reads it. */
export async function createEntry(
  tx: Sql,
  owner: Reader,
  entry: { title: string; tags: string[]; content: NewContent },
): Promise<Accepted> {
  requirePermission(owner, 'knowledge:create');
  const id = uuidv7();
  await tx.query(
    `INSERT INTO knowledge_entries (id, owner_id, title, tags, status, last_version) VALUES ($1, $2, $3, $4, 'draft', 1)`,
    [id, owner.userId, entry.title, entry.tags],
  );
  return insertVersion(tx, { entryId: id, n: 1, userId: owner.userId, content: entry.content });
}

/** The facts about an entry, its row locked until the transaction ends. @throws AppError `not_found` */
export async function lockEntry(tx: Sql, id: string): Promise<EntryFacts & { status: Status }> {
  const { rows } = await tx.query<EntryFacts & { status: Status }>(
    `SELECT owner_id AS "ownerId", status, last_version AS "lastVersion", ready_version AS "readyVersion",
       approved_version AS "approvedVersion"
     FROM knowledge_entries WHERE id = $1 AND deleted_at IS NULL FOR UPDATE`,
    [id],
  );
  if (!rows[0]) throw notFound('The entry');
  return rows[0];
}

/**
 * Title and tags are not subject to approval; what stands in the index is brought up to date. The words of the title are
 * in the vectors of the points, which are written again for that, without a text being embedded again.
 */
export async function describeEntry(
  tx: Sql,
  reader: Reader,
  change: { id: string; title?: string | undefined; tags?: string[] | undefined },
): Promise<Ready> {
  requireManage(reader, await lockEntry(tx, change.id));
  const { rows } = await tx.query<{ renamed: boolean }>(
    `UPDATE knowledge_entries AS entry SET title = coalesce($2, entry.title), tags = coalesce($3, entry.tags),
       revision = entry.revision + 1, updated_at = now(), shown_at = now()
     FROM knowledge_entries AS before WHERE entry.id = $1 AND before.id = $1
     RETURNING entry.title <> before.title AS renamed`,
    [change.id, change.title ?? null, change.tags ?? null],
  );
  if (rows[0]?.renamed) await outdateEntry(tx, change.id);
  return syncPoints(tx, { entryId: change.id, userId: reader.userId });
}

/** Gives an entry another content, as its newest version; readers keep the approved one meanwhile. */
export async function addVersion(
  tx: Sql,
  reader: Reader,
  change: { id: string; content: NewContent },
): Promise<Accepted> {
  const entry = await lockEntry(tx, change.id);
  const status = move(reader, entry, 'edit');
  const n = entry.lastVersion + 1;
  await tx.query(
    `UPDATE knowledge_entries SET last_version = $2, status = $3, reason = NULL, revision = revision + 1,
       updated_at = now() WHERE id = $1`,
    [change.id, n, status],
  );
  await syncPoints(tx, { entryId: change.id, userId: reader.userId });
  return insertVersion(tx, { entryId: change.id, n, userId: reader.userId, content: change.content });
}

/**
 * Deletes an entry: from this commit on nobody sees any of it, and a job removes what is left of it everywhere.
 *
 * @returns what is to be dispatched, and the jobs that were cancelled, for those who watch them.
 */
export async function deleteEntry(tx: Sql, reader: Reader, id: string): Promise<CancelledJobs> {
  requireManage(reader, await lockEntry(tx, id));
  await tx.query(
    'UPDATE knowledge_entries SET deleted_at = now(), revision = revision + 1, updated_at = now() WHERE id = $1',
    [id],
  );
  const jobs = await cancelWork(tx, id);
  const { ready } = await enqueue(tx, {
    kind: 'remove-vectors',
    payload: { entryId: id },
    userId: reader.userId,
    subjectId: id,
  });
  return { ready: [ready], jobs };
}

/** Asks for what the index says of an entry to be made to agree with its row, ahead of all other work there. */
export async function syncPoints(tx: Sql, about: { entryId: string; userId: string }): Promise<Ready> {
  const { ready } = await enqueue(tx, {
    kind: 'sync-payload',
    payload: { entryId: about.entryId },
    userId: about.userId,
    subjectId: about.entryId,
    priority: -1,
  });
  return ready;
}

async function insertVersion(
  tx: Sql,
  version: { entryId: string; n: number; userId: string; content: NewContent },
): Promise<Accepted> {
  const { entryId, n, userId, content } = version;
  const versionId = uuidv7();
  const job = await enqueue(tx, { kind: 'ingest-version', payload: { versionId }, userId, subjectId: versionId });
  const isFile = content.source === 'file';
  if (isFile) await keepFile(tx, content);
  await tx.query(
    `INSERT INTO knowledge_versions (id, entry_id, n, source, content, file_name, file_sha256, size, mime_type, state,
       job_id, embedded, indexed, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'ingesting', $10, '{}', '{}', $11)`,
    [
      versionId,
      entryId,
      n,
      content.source,
      isFile ? null : content.content,
      isFile ? content.fileName : null,
      isFile ? content.sha256 : null,
      isFile ? content.size : Buffer.byteLength(content.content),
      isFile ? null : 'text/markdown',
      job.id,
      userId,
    ],
  );
  return { id: entryId, versionId, jobId: job.id, ready: job.ready };
}
