import { enqueue, type Ready } from '../backlog/enqueue.js';
import type { Database, Sql } from '../database.js';
import { compactEvery, maxLogBytes } from './limits.js';

/** Jobs of one document that read its whole log run one after the other. */
const documentOrderKey = (documentId: string): string => `document ${documentId}`;

/**
 * Asks for a compaction once for every few hundred updates, whichever processes notice that it is due; of a log that is
 * half full, for whatever is new.
 *
 * @returns what to dispatch; null when it was asked for already.
 */
export function scheduleCompaction(
  database: Pick<Database, 'transaction'>,
  { documentId, userId }: { documentId: string; userId: string },
): Promise<Ready | null> {
  return database.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      `UPDATE document_heads SET scheduled_seq = last_seq WHERE document_id = $1
         AND last_seq - scheduled_seq >= CASE WHEN log_bytes > ${maxLogBytes / 2} THEN 1 ELSE $2 END`,
      [documentId, compactEvery],
    );
    if (rowCount !== 1) return null;
    return compactionJob(tx, documentId, userId);
  });
}

/** Documents looked for at a time. */
const maxQuiet = 500;

/**
 * Asks for a last compaction of documents that nobody edits any more and that hold edits which are in no version.
 *
 * @returns what to dispatch.
 */
export async function scheduleQuietCompactions(database: Pick<Database, 'transaction'>): Promise<Ready[]> {
  return database.transaction(async (tx) => {
    const { rows } = await tx.query<{ documentId: string; userId: string }>(
      `SELECT head.document_id AS "documentId", document.owner_id AS "userId" FROM document_heads AS head
       JOIN documents AS document ON document.id = head.document_id
       WHERE head.edited_at < now() - interval '10 minutes' AND EXISTS (
         SELECT 1 FROM document_updates AS log
         WHERE log.document_id = head.document_id AND cardinality(log.author_ids) > 0
       ) AND NOT EXISTS (
         SELECT 1 FROM jobs WHERE jobs.subject_id = head.document_id AND jobs.kind = 'compact-document'
           AND (jobs.state IN ('pending', 'queued', 'running') OR jobs.created_at > now() - interval '1 hour')
       ) ORDER BY head.edited_at DESC LIMIT ${maxQuiet}`,
    );
    const ready: Ready[] = [];
    for (const { documentId, userId } of rows) ready.push(await compactionJob(tx, documentId, userId));
    return ready;
  });
}

async function compactionJob(tx: Sql, documentId: string, userId: string): Promise<Ready> {
  const { ready } = await enqueue(tx, {
    kind: 'compact-document',
    payload: { documentId },
    userId,
    subjectId: documentId,
    orderKey: documentOrderKey(documentId),
  });
  return ready;
}
