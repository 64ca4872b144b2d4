import type { Database, Sql } from '../database.js';
import type { Publisher } from '../realtime/publisher.js';
import { rooms } from '../realtime/rooms.js';
import { tellInTime } from '../realtime/tell.js';
import { requireAccess } from './access.js';

/** Who may edit the text may rename it. @returns whether it had another title. */
export async function renameDocument(tx: Sql, where: { id: string; userId: string }, title: string): Promise<boolean> {
  await requireAccess(tx, where.id, where.userId, 'edit');
  const before = await holdTitle(tx, where.id);
  await tx.query('UPDATE documents SET title = $2, updated_at = now() WHERE id = $1', [where.id, title]);
  return before !== null && before !== title;
}

/**
 * Tells the room which title the document has, after the commit that gave it one. Of two renames at once the one that
 * committed first may come here last: so the title is told that is there by now, and nobody renames in between.
 */
export async function announceTitle(
  { database, publisher }: { database: Database; publisher: Publisher },
  documentId: string,
): Promise<void> {
  await database.transaction(async (tx) => {
    const title = await holdTitle(tx, documentId);
    if (title === null) return;
    await tellInTime([publisher.emit(rooms.document(documentId), 'document:renamed', { documentId, title })]);
  });
}

/** The title, which nobody changes until the transaction has ended; null when the document is gone. */
async function holdTitle(tx: Sql, documentId: string): Promise<string | null> {
  const { rows } = await tx.query<{ title: string }>('SELECT title FROM documents WHERE id = $1 FOR NO KEY UPDATE', [
    documentId,
  ]);
  return rows[0]?.title ?? null;
}
