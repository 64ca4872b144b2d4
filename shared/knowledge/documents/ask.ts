import { enqueue, enqueueAll, type Ready } from '../../backlog/enqueue.js';
import type { Database, Sql } from '../../database.js';
import { indexOrderKey } from '../../jobs/index-document.js';

type About = { documentId: string; userId: string };

/** Asks for the points of a document to say who may find it, ahead of all other work there. */
export async function syncDocumentPoints(tx: Sql, { documentId, userId }: About): Promise<Ready> {
  const job = { kind: 'sync-payload', payload: { documentId }, userId, subjectId: documentId, priority: -1 } as const;
  return (await enqueue(tx, job)).ready;
}

/** Asks for what the index has of a document to be removed, in the transaction that deletes it. */
export async function removeDocumentPoints(tx: Sql, { documentId, userId }: About): Promise<Ready> {
  const job = { kind: 'remove-vectors', payload: { documentId }, userId, subjectId: documentId } as const;
  return (await enqueue(tx, job)).ready;
}

/** Asks for documents to be indexed as far as they are not. */
function askForDocuments(tx: Sql, documents: readonly About[], priority = 0): Promise<Ready[]> {
  const jobs = documents.map(({ documentId, userId }) => ({
    payload: { documentId },
    userId,
    subjectId: documentId,
    orderKey: indexOrderKey(documentId),
    priority,
  }));
  return enqueueAll(tx, 'index-document', jobs);
}

/** Forgets which passages of the documents have points, and asks for them. */
export async function askForDocumentPoints(tx: Sql, documents: readonly About[], priority: number): Promise<Ready[]> {
  const ids = documents.map(({ documentId }) => documentId);
  // First: who notes points as written waits for it, and then sees that they do not count.
  await tx.query(
    'UPDATE indexed_documents SET revision = revision + 1, average_length = NULL WHERE document_id = ANY($1::uuid[])',
    [ids],
  );
  await tx.query('UPDATE document_chunks SET indexed_at = NULL WHERE document_id = ANY($1::uuid[])', [ids]);
  return askForDocuments(tx, documents, priority);
}

/**
 * Has the points of a document written again for another title, by the job that says who may find them. The mark is
 * made also for a document that is being indexed for the first time: who stores its passages meets this row.
 */
export async function retitleDocumentPoints(tx: Sql, about: About): Promise<Ready> {
  await tx.query(
    `INSERT INTO indexed_documents AS known (document_id, seq, chunk_count, term_count, average_length)
     VALUES ($1, 0, 0, 0, 0) ON CONFLICT (document_id) DO UPDATE SET average_length = 0`,
    [about.documentId],
  );
  return syncDocumentPoints(tx, about);
}

/** Asks for the points that {@link retitleDocumentPoints} has marked. */
export async function askForRetitled(tx: Sql, documentId: string): Promise<Ready[]> {
  const { rows } = await tx.query<About>(
    `SELECT known.document_id AS "documentId", document.owner_id AS "userId" FROM indexed_documents AS known
     JOIN documents AS document ON document.id = known.document_id
     WHERE known.document_id = $1 AND known.average_length = 0`,
    [documentId],
  );
  return rows.length > 0 ? askForDocumentPoints(tx, rows, 0) : [];
}

/** Documents looked for at a time. */
const batch = 1_000;

/** An SQL condition: a job of this kind that is still to be done. */
const underWay = (kind: string): string => `kind = '${kind}' AND state IN ('pending', 'queued', 'running')`;

/**
 * Asks for what should be under way and is not: texts from before there was an index, and those whose job was
 * cancelled or given up; what is left of deleted documents.
 */
export async function resumeDocuments(database: Database): Promise<Ready[]> {
  const ready: Ready[] = [];
  for (let asked = batch; asked === batch;) {
    // What was asked for is under way, and not found the next time.
    const { rows } = await database.query<About>(staleDocuments);
    ready.push(...(await askForDocuments(database, rows)));
    asked = rows.length;
  }
  const left = await database.query<{ documentId: string }>(leftDocuments);
  for (const { documentId } of left.rows) {
    // Its owner is not known any more; the work takes a place of its own.
    ready.push(await removeDocumentPoints(database, { documentId, userId: documentId }));
  }
  return ready;
}

const staleDocuments = `SELECT head.document_id AS "documentId", document.owner_id AS "userId" FROM document_heads AS head
  JOIN documents AS document ON document.id = head.document_id
  LEFT JOIN indexed_documents AS known ON known.document_id = head.document_id
  WHERE head.edited_at < now() - interval '1 minute' AND NOT EXISTS (
      SELECT 1 FROM jobs WHERE subject_id = head.document_id AND ${underWay('index-document')})
    AND (head.last_seq > coalesce(known.seq, 0) OR EXISTS (
      SELECT 1 FROM document_chunks AS chunk WHERE chunk.document_id = head.document_id
        AND (chunk.index IS NULL OR chunk.indexed_at IS NULL)))
  LIMIT ${batch}`;

/**
 * Usually none, or a few, though Postgres expects many: `OFFSET 0` has the jobs of each looked for, where it would read
 * all that is kept of finished ones.
 */
const leftDocuments = `WITH gone AS MATERIALIZED (
    SELECT document_id FROM (SELECT document_id FROM indexed_documents UNION SELECT document_id FROM document_chunks) AS known
    WHERE NOT EXISTS (SELECT 1 FROM documents WHERE id = document_id))
  SELECT document_id AS "documentId" FROM gone WHERE NOT EXISTS (
    SELECT 1 FROM jobs WHERE subject_id = document_id AND ${underWay('remove-vectors')} OFFSET 0)
  LIMIT ${batch}`;
