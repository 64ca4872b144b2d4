import type { Sql } from '../database.js';
import type { Hunk } from './hunks.js';

/** A suggestion that is to be written. */
export type SuggestionTask = {
  id: string;
  documentId: string;
  title: string;
  instruction: string;
  baseState: Buffer;
  start: number;
  end: number;
};

/**
 * Marks a suggestion as running in this attempt.
 *
 * @returns null when it is ready, cancelled or gone, belongs to a newer attempt, or who asked may not edit any more.
 */
export async function beginSuggestion(sql: Sql, id: string, attempt: number): Promise<SuggestionTask | null> {
  const { rows } = await sql.query<SuggestionTask>(
    `UPDATE document_suggestions AS suggestion SET state = 'running', attempt = $2, error = NULL
     FROM documents AS document, document_access AS access
     WHERE suggestion.id = $1 AND suggestion.state IN ('queued', 'running', 'failed') AND suggestion.attempt < $2
       AND document.id = suggestion.document_id AND access.document_id = document.id
       AND access.user_id = suggestion.user_id AND access.level = 'edit'
     RETURNING suggestion.id, document.id AS "documentId", document.title, suggestion.instruction,
       suggestion.base_state AS "baseState", suggestion.range_start AS start, suggestion.range_end AS end`,
    [id, attempt],
  );
  return rows[0] ?? null;
}

/** How a suggestion is stored when it has ended. */
export type SuggestionEnd = {
  id: string;
  state: 'ready' | 'failed' | 'cancelled';
  hunks: Hunk[];
  model: string | null;
  error: { code: string; message: string } | null;
};

/**
 * Stores the end of a suggestion once. Call it in a transaction that has checked the claim. What somebody asked for who
 * may not edit any more is cancelled.
 *
 * @returns its document, and how it ended.
 */
export async function endSuggestion(
  tx: Sql,
  end: SuggestionEnd,
): Promise<{ documentId: string; jobId: string; state: SuggestionEnd['state'] } | null> {
  const { rows } = await tx.query<{ documentId: string; jobId: string; state: SuggestionEnd['state'] }>(
    `UPDATE document_suggestions AS suggestion SET
       state = CASE WHEN asked.may_edit THEN $2 ELSE 'cancelled' END,
       hunks = CASE WHEN asked.may_edit THEN $3::jsonb ELSE '[]' END,
       model = $4, error = CASE WHEN asked.may_edit THEN $5::jsonb END, completed_at = now()
     FROM (
       SELECT task.id, EXISTS (
         SELECT 1 FROM document_access AS access WHERE access.document_id = task.document_id
           AND access.user_id = task.user_id AND access.level = 'edit'
       ) AS may_edit FROM document_suggestions AS task WHERE task.id = $1
     ) AS asked
     WHERE suggestion.id = asked.id AND suggestion.state IN ('queued', 'running')
     RETURNING suggestion.document_id AS "documentId", suggestion.job_id AS "jobId", suggestion.state`,
    [end.id, end.state, JSON.stringify(end.hunks), end.model, end.error && JSON.stringify(end.error)],
  );
  return rows[0] ?? null;
}
