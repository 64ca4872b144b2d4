import type { CancelledJobs } from '../backlog/cancel-jobs.js';
import { requestCancel } from '../backlog/control.js';
import type { Sql } from '../database.js';

/** Cancels what somebody asked of Claude who may not edit the document any more, in the transaction that says so. */
export async function cancelEdits(
  tx: Sql,
  { documentId, userId }: { documentId: string; userId: string },
): Promise<CancelledJobs> {
  const { rows } = await tx.query<{ id: string }>(
    `SELECT id FROM document_suggestions
     WHERE document_id = $1 AND user_id = $2 AND state IN ('queued', 'running') ORDER BY id`,
    [documentId, userId],
  );
  const cancelled: CancelledJobs = { ready: [], runningJobs: [], endedJobs: [] };
  for (const { id } of rows) {
    const asked = await requestCancel(tx, { subjectId: id, kind: 'edit-document' });
    if (!asked) continue;
    cancelled.ready.push(asked.ready);
    if (asked.state === 'running') cancelled.runningJobs.push(asked.id);
    if (asked.state === 'cancelled') cancelled.endedJobs.push(asked.id);
  }
  return cancelled;
}
