import * as Y from 'yjs';
import type { Sql } from '../database.js';
import { AppError } from '../errors.js';
import { unlessDeleted } from './deleted.js';
import type { LoadedDocument } from './log.js';

/** States that are kept of one document for edits to come. */
const maxBases = 50;
const maxDays = 7;

/** The name under which a read text can be edited over HTTP: the seq of its newest update. */
export const baseOf = (seq: number): string => String(seq);

/**
 * The ETag of a document as somebody reads it. The state of the text is not all of it: who asks again under the tag is
 * told by 304 that nothing has changed, and browsers do so by themselves; the title and what one may do may be others.
 */
export const tagOf = ({ seq, updatedAt, level }: { seq: number; updatedAt: string; level: string }): string =>
  `"${baseOf(seq)}.${Date.parse(updatedAt)}.${level}"`;

/** Whether a tag is of this state of the text, whatever else has changed. */
export const isTagOf = (tag: string, seq: number): boolean => /^"(\d+)(?:\.[^"]*)?"$/.exec(tag)?.[1] === baseOf(seq);

/** @returns null when `base` is no name of a state. */
function seqOfBase(base: string): number | null {
  return /^\d{1,15}$/.test(base) ? Number(base) : null;
}

/**
 * Keeps what somebody has read who may edit it. The log itself cannot give it back later: compaction drops the text
 * that was deleted since, and without it the difference between what was read and what is sent is not known.
 *
 * @throws AppError `not_found` when the document has been deleted.
 */
export async function keepBase(sql: Sql, documentId: string, { doc, seq }: LoadedDocument): Promise<void> {
  const known = await sql.query('UPDATE document_bases SET read_at = now() WHERE document_id = $1 AND seq = $2', [
    documentId,
    seq,
  ]);
  if (known.rowCount === 1) return;
  const keeping = sql.query(
    `INSERT INTO document_bases (document_id, seq, state) SELECT id, $2, $3 FROM documents WHERE id = $1
     ON CONFLICT (document_id, seq) DO UPDATE SET read_at = now()`,
    [documentId, seq, Buffer.from(Y.encodeStateAsUpdate(doc))],
  );
  await unlessDeleted(keeping);
  await sql.query(
    `DELETE FROM document_bases WHERE document_id = $1 AND (read_at < now() - interval '${maxDays} days' OR seq IN (
       SELECT seq FROM document_bases WHERE document_id = $1 ORDER BY read_at DESC, seq DESC OFFSET ${maxBases}))`,
    [documentId],
  );
}

/** @throws AppError `precondition_failed` when the state is not kept any more. */
export async function readBase(sql: Sql, documentId: string, base: string): Promise<Uint8Array> {
  const seq = seqOfBase(base);
  const { rows } = await sql.query<{ state: Buffer }>(
    'SELECT state FROM document_bases WHERE document_id = $1 AND seq = $2',
    [documentId, seq ?? -1],
  );
  if (rows[0]) return rows[0].state;
  throw new AppError(
    'precondition_failed',
    'What the edit was made from is not kept any more. Read the document again and make the edit anew.',
  );
}
