import type { JobError } from '../backlog/claim.js';
import { enqueue, type Ready } from '../backlog/enqueue.js';
import type { Sql } from '../database.js';
import { AppError } from '../errors.js';
import { lockEntry } from './change-entry.js';
import type { Checkpoint } from './chunking/chunk.js';
import { type NewChunk, storeChunks } from './chunks.js';
import { holdReading } from './hold-version.js';
import { askForVectors, cancelStages, type Stage } from './pipeline.js';
import { type Reader, requireManage } from './policy.js';

/** A version as the job sees it that reads it. */
export type ReadTask = {
  versionId: string;
  jobId: string;
  userId: string;
  source: 'text' | 'file';
  content: string | null;
  fileName: string | null;
  objectKey: string | null;
  state: 'ingesting' | 'ready' | 'failed';
  extracted: boolean;
  chunkCount: number;
  checkpoint: Checkpoint | null;
  /** It was read before, so that points of that time may be there. */
  again: boolean;
};

/** Why the version failed, perhaps in a stage that went on beside the reading; null when it did not, or is gone. */
export async function findVersionError(sql: Sql, versionId: string): Promise<JobError | null> {
  const { rows } = await sql.query<{ error: JobError | null }>(
    `SELECT error FROM knowledge_versions WHERE id = $1 AND state = 'failed'`,
    [versionId],
  );
  return rows[0]?.error ?? null;
}

/** @returns null when the version is gone or its entry deleted. */
export async function findReadTask(sql: Sql, versionId: string): Promise<ReadTask | null> {
  const { rows } = await sql.query<ReadTask>({
    name: 'find-read-task',
    text: `SELECT version.id AS "versionId", version.job_id AS "jobId", version.created_by AS "userId", version.source,
       version.content, version.file_name AS "fileName", files.object_key AS "objectKey", version.state, version.extracted,
       version.chunk_count AS "chunkCount", version.checkpoint,
       version.ready_at IS NOT NULL OR EXISTS (
         SELECT 1 FROM jobs WHERE subject_id = version.id AND kind = 'ingest-version' AND jobs.id <> version.job_id) AS again
     FROM knowledge_versions AS version JOIN knowledge_entries AS entry ON entry.id = version.entry_id
     LEFT JOIN files ON files.sha256 = version.file_sha256
     WHERE version.id = $1 AND entry.deleted_at IS NULL`,
    values: [versionId],
  });
  return rows[0] ?? null;
}

/** What of the content was read since the last time. */
export type ReadBatch = {
  chunks: NewChunk[];
  checkpoint: Checkpoint | null;
  page: number | null;
  share: number;
  mimeType: string | null;
};

/**
 * Stores passages that follow the `from` first ones, with the place that was reached, and asks for their vectors.
 *
 * @returns null when the entry was deleted meanwhile, or the version has failed.
 */
export async function storeBatch(
  tx: Sql,
  task: { versionId: string; userId: string },
  { from, batch }: { from: number; batch: ReadBatch },
): Promise<Ready | null> {
  const { versionId, userId } = task;
  if (!(await holdReading(tx, versionId))) return null;
  const to = from + batch.chunks.length;
  const terms = await storeChunks(tx, versionId, from, batch.chunks);
  await tx.query({
    name: 'store-place',
    text: `UPDATE knowledge_versions SET chunk_count = $2, term_count = term_count + $3, checkpoint = $4, page = $5,
       share = $6, mime_type = coalesce($7, mime_type) WHERE id = $1`,
    values: [
      versionId,
      to,
      terms,
      batch.checkpoint && JSON.stringify(batch.checkpoint),
      batch.page,
      batch.share,
      batch.mimeType,
    ],
  });
  return askForVectors(tx, { versionId, userId, from, to });
}

/** All of the content was read. */
export async function endReading(tx: Sql, versionId: string): Promise<void> {
  await tx.query({
    name: 'end-reading',
    text: 'UPDATE knowledge_versions SET extracted = true, checkpoint = NULL, share = 1 WHERE id = $1',
    values: [versionId],
  });
}

/**
 * A version that had failed is on its way again.
 *
 * @returns false when another job has been asked to do it again.
 */
export async function beginAgain(
  tx: Sql,
  { versionId, jobId }: { versionId: string; jobId: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE knowledge_versions SET state = 'ingesting', error = NULL WHERE id = $1 AND job_id = $2 AND state = 'failed'`,
    [versionId, jobId],
  );
  return rowCount === 1;
}

/**
 * Does the newest version of an entry again from a stage on. Until it is ready again its passages are found as far
 * as they are there: from `read` on they are gone at once, from `embed` and `index` on they stay.
 *
 * @throws AppError `conflict` while it is being read.
 */
export async function replayVersion(
  tx: Sql,
  reader: Reader,
  { id, stage }: { id: string; stage: Stage },
): Promise<{ versionId: string; jobId: string; ready: Ready }> {
  const entry = await lockEntry(tx, id);
  requireManage(reader, entry);
  const { rows } = await tx.query<{ id: string; state: string; isRead: boolean }>(
    `SELECT id, state, EXISTS (SELECT 1 FROM jobs WHERE jobs.id = job_id AND jobs.state = 'running') AS "isRead"
     FROM knowledge_versions WHERE entry_id = $1 AND n = $2 FOR UPDATE`,
    [id, entry.lastVersion],
  );
  const [version] = rows;
  if (!version || version.state === 'ingesting') {
    throw new AppError(
      'conflict',
      'The newest version is on its way already; wait until that has ended, or cancel it.',
    );
  }
  const versionId = version.id;
  // Two jobs that read it would mix their passages; the one that is at it stops at its next batch.
  if (version.isRead || (await cancelStages(tx, versionId))) {
    throw new AppError('conflict', 'Work on the newest version is just ending. Please try again.', {
      retryAfterSeconds: 1,
    });
  }
  const job = await enqueue(tx, {
    kind: 'ingest-version',
    payload: { versionId },
    userId: reader.userId,
    subjectId: versionId,
  });
  if (stage === 'read') await tx.query('DELETE FROM knowledge_chunks WHERE version_id = $1', [versionId]);
  await tx.query(
    `UPDATE knowledge_versions SET ${reset[stage]}, state = 'ingesting', error = NULL, job_id = $2 WHERE id = $1`,
    [versionId, job.id],
  );
  return { versionId, jobId: job.id, ready: job.ready };
}

const reset: Record<Stage, string> = {
  read: `extracted = false, checkpoint = NULL, page = NULL, share = 0, chunk_count = 0, term_count = 0,
    embedded = '{}', indexed = '{}'`,
  embed: `embedded = '{}', indexed = '{}'`,
  index: `indexed = '{}'`,
};
