import type { JobError } from '../backlog/claim.js';
import { enqueue, enqueueAll, type Ready } from '../backlog/enqueue.js';
import type { Sql } from '../database.js';
import { syncPoints } from './change-entry.js';
import { chunksPerJob } from './limits.js';
import { overtakenSql } from './placement.js';
import { type IngestionProgress, progressOf, versionColumns } from './version.js';

/** Chunks of a version by their index: from `from` to `to`, which is not included. */
export type ChunkRange = { versionId: string; from: number; to: number };

/** Stages of a version's way into the index, in their order. */
export const stages = ['read', 'embed', 'index'] as const;
export type Stage = (typeof stages)[number];

/**
 * A job for a batch of chunks. Of a version one batch is embedded at a time, and one is indexed: that is what is done
 * again, and paid for again, when a worker dies. A second one at once gains nothing where there are other files, and
 * within a batch the requests go out together.
 */
const batchJob = <Kind extends 'embed-chunks' | 'upsert-vectors'>(
  kind: Kind,
  { userId, ...payload }: ChunkRange & { userId: string },
) => ({ kind, payload, userId, subjectId: payload.versionId, orderKey: `${kind} ${payload.versionId}` });

/** Asks for chunks that were stored to be embedded. */
export async function askForVectors(tx: Sql, range: ChunkRange & { userId: string }): Promise<Ready> {
  return (await enqueue(tx, batchJob('embed-chunks', range))).ready;
}

/** Notes that the chunks have vectors, and asks for their points. */
export async function markEmbedded(tx: Sql, range: ChunkRange & { userId: string }): Promise<Ready> {
  await tx.query({
    name: 'mark-embedded',
    text: 'UPDATE knowledge_versions SET embedded = embedded + int4multirange(int4range($2, $3)) WHERE id = $1',
    values: [range.versionId, range.from, range.to],
  });
  return (await enqueue(tx, batchJob('upsert-vectors', range))).ready;
}

/** Takes back that the chunks have vectors, and asks for those. */
export async function unmarkEmbedded(tx: Sql, range: ChunkRange & { userId: string }): Promise<Ready> {
  await tx.query(
    `UPDATE knowledge_versions SET embedded = embedded - int4multirange(int4range($2, $3)),
       indexed = indexed - int4multirange(int4range($2, $3)) WHERE id = $1`,
    [range.versionId, range.from, range.to],
  );
  return askForVectors(tx, range);
}

/**
 * Notes that the chunks have points.
 *
 * @param averageLength the average by which the points were weighed; null when none were written. Points that are
 * marked as outdated (0) stay so: the title may have changed after these were written.
 * @param completes the points of the whole version say already that it is the newest: it is ready.
 */
export async function markIndexed(
  tx: Sql,
  range: ChunkRange & { averageLength: number | null; completes: boolean },
): Promise<Ready[]> {
  await tx.query({
    name: 'mark-indexed',
    text: `UPDATE knowledge_versions SET indexed = indexed + int4multirange(int4range($2, $3)),
       average_length = CASE WHEN average_length = 0 THEN 0 ELSE coalesce($4, average_length) END WHERE id = $1`,
    values: [range.versionId, range.from, range.to, range.averageLength],
  });
  return range.completes ? makeReady(tx, range.versionId) : completeVersion(tx, range.versionId);
}

/**
 * Asks for a version to be made ready of which everything is in the index, but whose points do not say so: its last
 * chunks were written at the same time, or before its end was reached. One that its successor has overtaken has no
 * points any more, and is ready without. Else does nothing.
 */
export async function completeVersion(tx: Sql, versionId: string): Promise<Ready[]> {
  const { rows } = await tx.query<{ entryId: string; userId: string; overtaken: boolean }>({
    name: 'complete-version',
    text: `SELECT version.entry_id AS "entryId", version.created_by AS "userId", ${overtakenSql} AS overtaken
     FROM knowledge_versions AS version JOIN knowledge_entries AS entry ON entry.id = version.entry_id
     WHERE version.id = $1 AND version.state = 'ingesting' AND version.extracted
       AND version.indexed @> int4range(0, version.chunk_count)`,
    values: [versionId],
  });
  const [row] = rows;
  if (!row) return [];
  return row.overtaken ? makeReady(tx, versionId) : [await syncPoints(tx, row)];
}

/** Makes a version ready if it is read to its end and every chunk has a point; else does nothing. */
export async function makeReady(tx: Sql, versionId: string): Promise<Ready[]> {
  const { rows } = await tx.query<{ entryId: string; userId: string; stale: boolean }>({
    name: 'make-ready',
    text: `WITH version AS (
       UPDATE knowledge_versions SET state = 'ready', ready_at = now(), error = NULL
       WHERE id = $1 AND state <> 'ready' AND extracted AND indexed @> int4range(0, chunk_count)
       RETURNING entry_id, n, created_by
     ), entry AS (
       UPDATE knowledge_entries AS entry SET ready_version = greatest(entry.ready_version, version.n),
         revision = entry.revision + CASE WHEN entry.last_version > 1 THEN 1 ELSE 0 END
       FROM version WHERE entry.id = version.entry_id RETURNING entry.last_version
     )
     SELECT version.entry_id AS "entryId", version.created_by AS "userId", entry.last_version > 1 AS stale
     FROM version, entry`,
    values: [versionId],
  });
  const [row] = rows;
  // The points of a first version already say what they should; with a later one those of the earlier are to go.
  return row?.stale ? [await syncPoints(tx, row)] : [];
}

/**
 * Ends a version that cannot be read, embedded or indexed, and has what is in the index of it removed. One that is
 * ready stays so.
 */
export async function failVersion(tx: Sql, versionId: string, error: JobError): Promise<Ready[]> {
  const { rows } = await tx.query<{ entryId: string; userId: string; pointed: boolean }>(
    `UPDATE knowledge_versions SET state = 'failed', error = $2 WHERE id = $1 AND state <> 'ready'
     RETURNING entry_id AS "entryId", created_by AS "userId", chunk_count > 0 AS pointed`,
    [versionId, JSON.stringify(error)],
  );
  const [row] = rows;
  await cancelStages(tx, versionId);
  if (!row?.pointed) return [];
  await tx.query('UPDATE knowledge_entries SET revision = revision + 1 WHERE id = $1', [row.entryId]);
  return [await syncPoints(tx, row)];
}

/**
 * Takes back what the stages behind reading have not begun yet. A row that somebody has locked counts as begun: to
 * wait for it, with the entry held, would be to wait for one that waits for the entry.
 *
 * @returns whether some of it is running.
 */
export async function cancelStages(tx: Sql, versionId: string): Promise<boolean> {
  await tx.query(
    `UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE id IN (
       SELECT id FROM jobs WHERE subject_id = $1 AND kind IN ('embed-chunks', 'upsert-vectors')
         AND state IN ('pending', 'queued') FOR UPDATE SKIP LOCKED)`,
    [versionId],
  );
  const { rowCount } = await tx.query(
    `SELECT 1 FROM jobs WHERE subject_id = $1 AND kind IN ('embed-chunks', 'upsert-vectors')
       AND state IN ('pending', 'queued', 'running') LIMIT 1`,
    [versionId],
  );
  return rowCount === 1;
}

/** What the owner of a version is told about the job that they watch. */
export type RootJob = {
  jobId: string;
  progress: IngestionProgress;
  /** Set when the job has ended by this. */
  ended: { state: 'done' } | { state: 'failed'; error: JobError } | null;
};

/**
 * Brings the job that the owner watches up to date with its version, after the commit of what changed that. A
 * waiting job ends with its version; one that still runs is only made not to wait, and finds the version as it is.
 * Done twice it changes nothing, so whatever is repeated after a crash repeats this too.
 */
export async function updateRootJob(sql: Sql, versionId: string): Promise<RootJob | null> {
  const { rows } = await sql.query<Parameters<typeof progressOf>[0] & { jobId: string; error: JobError | null }>({
    name: 'read-progress',
    text: `SELECT ${versionColumns} FROM knowledge_versions AS version WHERE id = $1`,
    values: [versionId],
  });
  const [version] = rows;
  if (!version) return null;
  const { jobId } = version;
  const progress = progressOf(version);
  const result = await sql.query<{ ended: boolean }>({
    name: 'update-root-job',
    text: `
UPDATE jobs SET progress = $2, blocked = blocked AND NOT $3,
  state = CASE WHEN NOT ends THEN state WHEN $4::jsonb IS NULL THEN 'done' ELSE 'failed' END,
  error = CASE WHEN ends THEN $4::jsonb WHEN state = 'pending' AND blocked THEN NULL ELSE error END,
  finished_at = CASE WHEN ends THEN now() ELSE finished_at END
FROM (SELECT id AS job_id, $3 AND ((state = 'pending' AND blocked) OR (state = 'failed' AND $4::jsonb IS NULL)) AS ends
  FROM jobs WHERE id = $1 FOR UPDATE) AS root
WHERE jobs.id = root.job_id RETURNING ends AS ended`,
    values: [
      jobId,
      JSON.stringify(progress),
      version.state !== 'ingesting',
      version.error && JSON.stringify(version.error),
    ],
  });
  if (!result.rows[0]?.ended) return { jobId, progress, ended: null };
  const { error } = version;
  return { jobId, progress, ended: error ? { state: 'failed', error } : { state: 'done' } };
}

/** Has the job that the owner watches say what a stage waits for, until that gets further. */
export async function tellWaiting(sql: Sql, versionId: string, error: JobError): Promise<void> {
  await sql.query({
    name: 'tell-waiting',
    text: `UPDATE jobs SET error = $2 FROM knowledge_versions AS version WHERE version.id = $1 AND jobs.id = version.job_id
      AND jobs.state = 'pending' AND jobs.blocked AND jobs.error IS DISTINCT FROM $2`,
    values: [versionId, JSON.stringify(error)],
  });
}

/**
 * Makes the running ingest-version job wait for the stages behind it: no dispatcher takes it until it is woken. One
 * that is to be cancelled runs again at once, and ends: the stages may wait for a service that is away.
 */
export async function waitForStages(tx: Sql, jobId: string): Promise<void> {
  await tx.query({
    name: 'wait-for-stages',
    text: 'UPDATE jobs SET blocked = cancel_requested_at IS NULL WHERE id = $1',
    values: [jobId],
  });
}

/** Asks again for what some chunks lack, unless a job for it is under way. */
export async function askForMissing(tx: Sql, versionId: string, userId: string): Promise<Ready[]> {
  const { rows } = await tx.query<{ kind: 'embed-chunks' | 'upsert-vectors'; from: number; to: number }>({
    name: 'ask-for-missing',
    text: `WITH version AS (SELECT * FROM knowledge_versions WHERE id = $1 FOR UPDATE), under_way AS (
       SELECT range_agg(int4range((payload->>'from')::int, (payload->>'to')::int)) AS set FROM jobs
       WHERE subject_id = $1 AND kind IN ('embed-chunks', 'upsert-vectors') AND state IN ('pending', 'queued', 'running')
     ), missing AS (
       SELECT 'embed-chunks' AS kind, int4multirange(int4range(0, chunk_count)) - embedded AS set FROM version
       UNION ALL
       SELECT 'upsert-vectors', int4multirange(int4range(0, chunk_count)) * embedded - indexed FROM version
     ), part AS (
       SELECT kind, unnest(missing.set - coalesce(under_way.set, '{}')) AS range FROM missing, under_way
     )
     SELECT kind, start AS "from", least(start + $2::int, upper(range)) AS "to"
     FROM part, generate_series(lower(range), upper(range) - 1, $2::int) AS start`,
    values: [versionId, chunksPerJob],
  });
  const ready: Ready[] = [];
  for (const kind of ['embed-chunks', 'upsert-vectors'] as const) {
    const jobs = rows
      .filter((row) => row.kind === kind)
      .map(({ from, to }) => batchJob(kind, { versionId, from, to, userId }));
    ready.push(...(await enqueueAll(tx, kind, jobs)));
  }
  return ready;
}
