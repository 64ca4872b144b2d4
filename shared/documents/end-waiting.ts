import type { Sql } from '../database.js';
import type { Publisher } from '../realtime/publisher.js';
import { rooms } from '../realtime/rooms.js';

/** A suggestion that has ended without being begun. */
export type EndedSuggestion = { documentId: string; suggestionId: string; jobId: string };

/**
 * Ends suggestions whose jobs were cancelled while they waited, in the transaction that cancelled them: no worker will say
 * anything of them. Those that were begun are ended by their workers.
 */
export async function endWaitingSuggestions(
  tx: Sql,
  ids: string[],
  error: { code: string; message: string } | null = null,
): Promise<EndedSuggestion[]> {
  if (ids.length === 0) return [];
  const { rows } = await tx.query<EndedSuggestion>(
    `UPDATE document_suggestions SET state = 'cancelled', error = $2, completed_at = now()
     WHERE id = ANY($1::uuid[]) AND state = 'queued'
     RETURNING document_id AS "documentId", id AS "suggestionId", job_id AS "jobId"`,
    [ids, error && JSON.stringify(error)],
  );
  return rows;
}

/** Makes a suggestion that has failed wait again, for a job that is tried again. */
export async function requeueSuggestion(tx: Sql, id: string): Promise<void> {
  await tx.query(
    `UPDATE document_suggestions SET state = 'queued', error = NULL, completed_at = NULL WHERE id = $1 AND state = 'failed'`,
    [id],
  );
}

/** Tells who has the document open that nothing will come of a suggestion. */
export const announceEnded = (publisher: Publisher, ended: EndedSuggestion): Promise<void> =>
  publisher.emit(rooms.document(ended.documentId), 'suggestion:failed', ended);
