import type { Sql } from '../database.js';
import { indexAfterMs, indexAtLatestMs } from './limits.js';
import { contentOf, loadDocument } from './log.js';

/** Whether a document is to be indexed now. */
export type Indexing =
  /** `seq`: of its newest update. */
  | { state: 'due'; seq: number }
  /** Somebody is typing: ask again after `waitMs`. */
  | { state: 'unsettled'; waitMs: number }
  | { state: 'gone' };

/**
 * Begins to index a document, unless somebody is typing and has been for a short time only. Read the text after
 * that: an edit from now on asks for another job, so none is missed.
 */
export async function beginIndexing(sql: Sql, documentId: string): Promise<Indexing> {
  const { rows } = await sql.query<{ seq: number }>({
    name: 'begin-indexing',
    text: `UPDATE document_heads SET index_asked_at = NULL WHERE document_id = $1 AND (index_asked_at IS NULL
        OR edited_at <= now() - interval '${indexAfterMs} milliseconds'
        OR index_asked_at <= now() - interval '${indexAtLatestMs} milliseconds')
      RETURNING last_seq::float8 AS seq`,
    values: [documentId],
  });
  if (rows[0]) return { state: 'due', seq: rows[0].seq };
  const head = await sql.query<{ rests: number }>(
    `SELECT (extract(epoch FROM now() - edited_at) * 1000)::float8 AS rests FROM document_heads WHERE document_id = $1`,
    [documentId],
  );
  const [row] = head.rows;
  return row ? { state: 'unsettled', waitMs: Math.max(1, indexAfterMs - row.rests) } : { state: 'gone' };
}

/** The text of a document, and up to which update it goes. @throws AppError `not_found` */
export async function readText(sql: Sql, documentId: string): Promise<{ content: string; seq: number }> {
  const { doc, seq } = await loadDocument(sql, documentId);
  const content = contentOf(doc).toString();
  doc.destroy();
  return { content, seq };
}
