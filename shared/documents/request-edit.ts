import { v7 as uuidv7 } from 'uuid';
import * as Y from 'yjs';
import { enqueue, type Ready } from '../backlog/enqueue.js';
import type { Sql } from '../database.js';
import { AppError } from '../errors.js';
import { requireAccess } from './access.js';
import { readBase } from './bases.js';
import { unlessDeleted } from './deleted.js';
import { contentOf, loadDocument } from './log.js';

/** The longest passage that Claude rewrites at once, in UTF-16 units: its answer has to hold it. */
export const maxPassage = 20_000;

export type EditRequest = {
  documentId: string;
  userId: string;
  instruction: string;
  /** UTF-16 units of the text; all of it unless told. */
  range?: { start: number; end: number } | undefined;
  /** The state that the range is counted in; the newest unless told. */
  base?: string | undefined;
};

/**
 * Accepts an edit by Claude: the document as it is stays with the suggestion, so that whatever is typed from now on
 * does not move what Claude is to rewrite.
 *
 * @throws AppError `not_found`, `forbidden`, `precondition_failed`, `invalid_request` for a range that is none or too long.
 */
export async function requestEdit(
  tx: Sql,
  request: EditRequest,
): Promise<{ suggestionId: string; jobId: string; ready: Ready }> {
  const { documentId, userId } = request;
  await requireAccess(tx, documentId, userId, 'edit');
  const doc = await stateOf(tx, request);
  const text = contentOf(doc).toString();
  const { length } = text;
  const { start, end } = request.range ?? { start: 0, end: length };
  if (start > end || end > length) {
    throw new AppError('invalid_request', `The range is not within the text, which has ${length} UTF-16 units.`);
  }
  if (splitsCharacter(text, start) || splitsCharacter(text, end)) {
    throw new AppError('invalid_request', 'The range begins or ends within a character that has two UTF-16 units.');
  }
  if (end - start > maxPassage) {
    throw new AppError(
      'invalid_request',
      `At most ${maxPassage} UTF-16 units can be rewritten at once; choose a range.`,
    );
  }
  const suggestionId = uuidv7();
  const job = await enqueue(tx, { kind: 'edit-document', payload: { suggestionId }, userId, subjectId: suggestionId });
  const storing = tx.query(
    `INSERT INTO document_suggestions (id, document_id, user_id, job_id, instruction, base_state, range_start, range_end)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      suggestionId,
      documentId,
      userId,
      job.id,
      request.instruction,
      Buffer.from(Y.encodeStateAsUpdate(doc)),
      start,
      end,
    ],
  );
  await unlessDeleted(storing);
  return { suggestionId, jobId: job.id, ready: job.ready };
}

/** A half that is replaced alone leaves the other half, which is no character: Yjs puts U+FFFD there. */
const splitsCharacter = (text: string, at: number): boolean => at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff;

async function stateOf(sql: Sql, { documentId, base }: EditRequest): Promise<Y.Doc> {
  if (base === undefined) return (await loadDocument(sql, documentId)).doc;
  const doc = new Y.Doc();
  Y.applyUpdate(doc, await readBase(sql, documentId, base));
  return doc;
}
