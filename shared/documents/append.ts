import { insertJobsSql } from '../backlog/enqueue.js';
import type { Sql } from '../database.js';
import { AppError } from '../errors.js';
import { indexOrderKey } from '../jobs/index-document.js';
import { requireAccess } from './access.js';
import { compactEvery, indexAfterMs, maxLogBytes, maxSmallBytes, smallUpdateBytes } from './limits.js';

/** An update that somebody wants to add to a document. */
export type NewUpdate = { documentId: string; userId: string; update: Uint8Array };

/** An update that Postgres has taken: its place in the document's sequence, and whether compaction should be asked for. */
export type Appended = { seq: number; due: boolean };

/**
 * Adds updates to the logs of their documents in one statement. Each takes the next seq of its document under the
 * lock of the document's head, which is held until the commit: so seqs have no gap, and who sees one sees all
 * before it. Heads are locked in one order, so that two groups cannot wait for each other.
 *
 * The first update of a document that is not waiting to be indexed asks for that, with the update or not at all; those
 * that follow ask for nothing.
 *
 * @returns for each update where it is; null when its sender may not edit, the document is gone, or it is full.
 */
export async function appendUpdates(sql: Sql, updates: NewUpdate[]): Promise<(Appended | null)[]> {
  const { rows } = await sql.query<{ n: number; seq: number; scheduledSeq: number }>({
    ...appendStatement,
    values: [
      updates.map(({ documentId }) => documentId),
      updates.map(({ userId }) => userId),
      updates.map(({ update }) => Buffer.from(update.buffer, update.byteOffset, update.byteLength)),
    ],
  });
  const results: (Appended | null)[] = updates.map(() => null);
  for (const { n, seq, scheduledSeq } of rows) results[n - 1] = { seq, due: seq - scheduledSeq >= compactEvery };
  return results;
}

const appendStatement = {
  name: 'append-document-updates',
  text: `
WITH given AS (
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) WITH ORDINALITY AS given (document_id, user_id, update, n)
), locked AS (
  SELECT document_id, last_seq, scheduled_seq, log_bytes, index_asked_at FROM document_heads
  WHERE document_id = ANY($1::uuid[]) ORDER BY document_id FOR NO KEY UPDATE
), allowed AS (
  SELECT given.*, locked.scheduled_seq, locked.index_asked_at,
    locked.last_seq + row_number() OVER (PARTITION BY given.document_id ORDER BY given.n) AS seq
  FROM given JOIN locked ON locked.document_id = given.document_id
  JOIN document_access AS access ON access.document_id = given.document_id
    AND access.user_id = given.user_id AND access.level = 'edit'
  WHERE locked.log_bytes + octet_length(given.update) <= ${maxLogBytes} +
    CASE WHEN octet_length(given.update) <= ${smallUpdateBytes} THEN ${maxSmallBytes} ELSE 0 END
), stored AS (
  INSERT INTO document_updates (document_id, seq, update, author_ids)
  SELECT document_id, seq, update, ARRAY[user_id] FROM allowed
), moved AS (
  UPDATE document_heads AS head SET last_seq = total.seq, log_bytes = log_bytes + total.bytes, edited_at = now(),
    index_asked_at = coalesce(index_asked_at, now())
  FROM (
    SELECT document_id, max(seq) AS seq, sum(octet_length(update)) AS bytes FROM allowed GROUP BY document_id
  ) AS total
  WHERE head.document_id = total.document_id
), asked AS (
  ${insertJobsSql(
    'index-document',
    `SELECT DISTINCT ON (document_id) jsonb_build_object('documentId', document_id) AS payload, user_id,
      document_id AS subject_id, '${indexOrderKey('')}' || document_id AS order_key,
      now() + interval '${indexAfterMs} milliseconds' AS run_at
    FROM allowed WHERE index_asked_at IS NULL ORDER BY document_id, n`,
  )}
)
SELECT n::int AS n, seq::float8 AS seq, scheduled_seq::float8 AS "scheduledSeq" FROM allowed`,
};

/** Why an update was not taken. @throws AppError always: `not_found`, `forbidden` or `payload_too_large`. */
export async function explainRefusal(sql: Sql, { documentId, userId }: NewUpdate): Promise<never> {
  await requireAccess(sql, documentId, userId, 'edit');
  throw new AppError(
    'payload_too_large',
    'The document has become too large; nothing more can be added to it. What is deleted makes room within moments.',
  );
}
