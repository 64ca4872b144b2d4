import { enqueueAll, type Ready } from '../backlog/enqueue.js';
import type { Sql } from '../database.js';
import { askForDocumentPoints } from './documents/ask.js';
import { chunksPerJob } from './limits.js';
import { placedSql } from './placement.js';

/** In milliseconds: the average moves slowly, and reading it looks at every version. */
const maxAgeMs = 2_000;

const known = new WeakMap<Sql, { value: Promise<number>; at: number }>();

/** The average length of the passages of all versions and documents, in terms, as it was up to two seconds ago. */
export function averageLength(sql: Sql): Promise<number> {
  const last = known.get(sql);
  if (last && performance.now() - last.at < maxAgeMs) return last.value;
  const value = readAverage(sql);
  known.set(sql, { value, at: performance.now() });
  value.catch(() => known.delete(sql));
  return value;
}

async function readAverage(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ average: number }>({
    name: 'average-length',
    text: `SELECT coalesce(sum(terms)::float8 / nullif(sum(chunks), 0), 1) AS average FROM (
      SELECT sum(term_count) AS terms, sum(chunk_count) AS chunks FROM knowledge_versions
      UNION ALL SELECT sum(term_count), sum(chunk_count) FROM indexed_documents) AS part`,
  });
  return rows[0]?.average ?? 1;
}

/** A drift that can be measured in what is found. */
const drift = 1.1;

/** Versions or documents weighed anew in one step. */
const batch = 100;

/**
 * Has points written again that were weighed by an average that is out of date: those that came first, when there
 * was little to take an average of. Each time takes a drift of a tenth, so a growing collection costs few of them.
 */
export async function reweigh(tx: Sql): Promise<Ready[]> {
  const average = await readAverage(tx);
  const drifted = `version.average_length NOT BETWEEN $1::float8 / ${drift} AND $1 * ${drift}`;
  return [...(await reweighVersions(tx, drifted, average, 2)), ...(await reweighDocuments(tx, average))];
}

/** Marks the points of an entry as weighed by a title that it does not have any more. */
export async function outdateEntry(tx: Sql, entryId: string): Promise<void> {
  await tx.query('UPDATE knowledge_versions SET average_length = 0 WHERE entry_id = $1', [entryId]);
}

/** Has points written again that {@link outdateEntry} has marked; those that are still on their way stay marked. */
export function reweighEntry(tx: Sql, entryId: string): Promise<Ready[]> {
  return reweighVersions(tx, 'entry.id = $1 AND version.average_length = 0', entryId, 0);
}

/** @param which an SQL condition on `version` and `entry`, whose parameter `$1` is `value`. */
async function reweighVersions(tx: Sql, which: string, value: number | string, priority: number): Promise<Ready[]> {
  // Where a job is under way that read the title before it changed, the mark waits until it has ended.
  const { rows } = await tx.query<{ versionId: string; userId: string; chunks: number }>(
    `SELECT version.id AS "versionId", version.created_by AS "userId", version.chunk_count AS chunks
     FROM knowledge_versions AS version JOIN knowledge_entries AS entry ON entry.id = version.entry_id
     WHERE version.state = 'ready' AND ${placedSql} AND ${which}
       AND NOT EXISTS (SELECT 1 FROM jobs WHERE subject_id = version.id AND kind = 'upsert-vectors'
         AND state IN ('pending', 'queued', 'running'))
     LIMIT ${batch} FOR NO KEY UPDATE OF version SKIP LOCKED`,
    [value],
  );
  await tx.query(
    'UPDATE knowledge_versions SET average_length = NULL WHERE id = ANY($1::uuid[]) AND average_length = 0',
    [rows.map(({ versionId }) => versionId)],
  );
  const jobs = rows.flatMap(({ versionId, userId, chunks }) =>
    Array.from({ length: Math.ceil(chunks / chunksPerJob) }, (_, part) => ({
      payload: { versionId, from: part * chunksPerJob, to: Math.min((part + 1) * chunksPerJob, chunks) },
      userId,
      subjectId: versionId,
      priority,
    })),
  );
  return enqueueAll(tx, 'upsert-vectors', jobs);
}

async function reweighDocuments(tx: Sql, average: number): Promise<Ready[]> {
  const { rows } = await tx.query<{ documentId: string; userId: string }>(
    `SELECT known.document_id AS "documentId", document.owner_id AS "userId" FROM indexed_documents AS known
     JOIN documents AS document ON document.id = known.document_id
     WHERE known.average_length NOT BETWEEN $1::float8 / ${drift} AND $1 * ${drift} LIMIT ${batch}`,
    [average],
  );
  return askForDocumentPoints(tx, rows, 2);
}
