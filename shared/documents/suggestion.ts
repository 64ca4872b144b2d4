import { z } from 'zod';
import type { Sql } from '../database.js';
import { notFound } from '../errors.js';
import { problem } from '../realtime/message-view.js';
import type { Hunk } from './hunks.js';

const position = z.string().describe('A relative position of Yjs, encoded, in base64: where it is by now.');

/** A suggestion of Claude as the readers of its document see it. */
export const suggestionSchema = z
  .object({
    id: z.uuid(),
    documentId: z.uuid(),
    userId: z.uuid().describe('Who asked for it.'),
    jobId: z.uuid(),
    instruction: z.string(),
    state: z.enum(['queued', 'running', 'ready', 'failed', 'cancelled']),
    attempt: z.int(),
    model: z.string().nullable(),
    hunks: z.array(
      z.object({
        original: z.string(),
        replacement: z.string(),
        start: position,
        end: position,
        state: z
          .enum(['open', 'accepted', 'rejected', 'undone', 'stale'])
          .describe('`stale`: what it is about had been replaced or deleted when it was to be accepted or taken back.'),
      }),
    ),
    error: problem.nullable(),
    createdAt: z.iso.datetime(),
    completedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Suggestion' });

export type SuggestionView = z.infer<typeof suggestionSchema>;

type SuggestionRow = Omit<SuggestionView, 'hunks' | 'createdAt' | 'completedAt'> & {
  hunks: Hunk[];
  createdAt: Date;
  completedAt: Date | null;
};

// Those of earlier releases: a job that was cancelled before it was begun told nobody, and after a month it is deleted.
const columns = `suggestion.id, suggestion.document_id AS "documentId", suggestion.user_id AS "userId",
  suggestion.job_id AS "jobId", suggestion.instruction,
  CASE WHEN suggestion.state = 'queued' AND (job.id IS NULL OR job.state = 'cancelled') THEN 'cancelled'
    ELSE suggestion.state END AS state,
  suggestion.attempt, suggestion.model, suggestion.hunks, suggestion.error, suggestion.created_at AS "createdAt",
  suggestion.completed_at AS "completedAt"`;

const source = 'document_suggestions AS suggestion LEFT JOIN jobs AS job ON job.id = suggestion.job_id';

const present = ({ hunks, ...row }: SuggestionRow): SuggestionView => ({
  ...row,
  hunks: hunks.map(({ changes: _changes, ...hunk }) => hunk),
  createdAt: row.createdAt.toISOString(),
  completedAt: row.completedAt?.toISOString() ?? null,
});

/** @throws AppError `not_found` */
export async function getSuggestion(sql: Sql, documentId: string, id: string): Promise<SuggestionView> {
  const { rows } = await sql.query<SuggestionRow>(
    `SELECT ${columns} FROM ${source} WHERE suggestion.id = $1 AND suggestion.document_id = $2`,
    [id, documentId],
  );
  if (!rows[0]) throw notFound('The suggestion');
  return present(rows[0]);
}

/** @returns nothing when there is no such suggestion; who may read it is not asked. */
export async function findSuggestionState(sql: Sql, id: string): Promise<string | undefined> {
  const { rows } = await sql.query<{ state: string }>('SELECT state FROM document_suggestions WHERE id = $1', [id]);
  return rows[0]?.state;
}

/** Where a page of the list ended. */
export const suggestionPosition = z.strictObject({ id: z.uuid() });

/** The suggestions of a document, newest first. Their ids are in the order of time. */
export async function listSuggestions(
  sql: Sql,
  query: { documentId: string; limit: number; before: string | null },
): Promise<SuggestionView[]> {
  const { rows } = await sql.query<SuggestionRow>(
    `SELECT ${columns} FROM ${source} WHERE suggestion.document_id = $1 AND ($2::uuid IS NULL OR suggestion.id < $2)
     ORDER BY suggestion.id DESC LIMIT $3`,
    [query.documentId, query.before, query.limit],
  );
  return rows.map(present);
}
