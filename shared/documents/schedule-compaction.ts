import { enqueue, type Ready } from '../backlog/enqueue.js';
import type { Database } from '../database.js';
import { compactEvery } from './limits.js';

/** Jobs of one document that read its whole log run one after the other. */
export const documentOrderKey = (documentId: string): string => `document ${documentId}`;

/**
 * Asks for a compaction once for every few hundred updates, whichever processes notice that it is due.
 *
 * @returns what to dispatch; null when it was asked for already.
 */
export function scheduleCompaction(
  database: Pick<Database, 'transaction'>,
  { documentId, userId }: { documentId: string; userId: string },
): Promise<Ready | null> {
  return database.transaction(async (tx) => {
    const { rowCount } = await tx.query(
      'UPDATE document_heads SET scheduled_seq = last_seq WHERE document_id = $1 AND last_seq - scheduled_seq >= $2',
      [documentId, compactEvery],
    );
    if (rowCount !== 1) return null;
    const { ready } = await enqueue(tx, {
      kind: 'compact-document',
      payload: { documentId },
      userId,
      subjectId: documentId,
      orderKey: documentOrderKey(documentId),
    });
    return ready;
  });
}
