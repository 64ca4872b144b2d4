import type { CancelledJobs } from '../backlog/cancel-jobs.js';
import { requestCancel } from '../backlog/control.js';
import type { Sql } from '../database.js';
import { type EndedSuggestion, endWaitingSuggestions } from './end-waiting.js';

/** Cancels what somebody asked of Claude who may not edit the document any more, in the transaction that says so. */
export async function cancelEdits(
  tx: Sql,
  { documentId, userId }: { documentId: string; userId: string },
): Promise<CancelledJobs & { ended: EndedSuggestion[] }> {
  const { rows } = await tx.query<{ id: string }>(
    `SELECT id FROM document_suggestions
     WHERE document_id = $1 AND user_id = $2 AND state IN ('queued', 'running') ORDER BY id`,
    [documentId, userId],
  );
  const cancelled: CancelledJobs = { ready: [], jobs: [] };
  const waiting: string[] = [];
  for (const { id } of rows) {
    const asked = await requestCancel(tx, { subjectId: id, kind: 'edit-document' });
    if (!asked) continue;
    cancelled.ready.push(asked.ready);
    cancelled.jobs.push(asked);
    if (asked.state === 'cancelled') waiting.push(id);
  }
  return { ...cancelled, ended: await endWaitingSuggestions(tx, waiting) };
}
