import type { Sql } from '../database.js';
import type { Publisher } from '../realtime/publisher.js';
import { rooms } from '../realtime/rooms.js';
import { tellInTime } from '../realtime/tell.js';
import { requireAccess } from './access.js';

/** Who may edit the text may rename it. @returns whether it had another title. */
export async function renameDocument(tx: Sql, where: { id: string; userId: string }, title: string): Promise<boolean> {
  await requireAccess(tx, where.id, where.userId, 'edit');
  const before = await holdTitle(tx, where.id);
  if (before === null || before === title) return false;
  await tx.query('UPDATE documents SET title = $2, updated_at = now() WHERE id = $1', [where.id, title]);
  return true;
}

/** Who renames without end is told of by others. */
const mostTellings = 10;

/**
 * Tells the room which title the document has, after the commit that gave it one. Of two renames at once the one that
 * committed first may tell its title last. So it is looked at again after each telling: whoever tells last either finds
 * the title that stays, or tells that one too. Nothing is held meanwhile, since Redis may take its time.
 */
export async function announceTitle(
  { database, publisher }: { database: Sql; publisher: Publisher },
  documentId: string,
): Promise<void> {
  let title = await readTitle(database, documentId);
  for (let times = 0; title !== null && times < mostTellings; times += 1) {
    await tellInTime([publisher.emit(rooms.document(documentId), 'document:renamed', { documentId, title })]);
    const told = title;
    title = await readTitle(database, documentId);
    if (title === told) return;
  }
}

/** Null when the document is gone. */
async function readTitle(sql: Sql, documentId: string): Promise<string | null> {
  const { rows } = await sql.query<{ title: string }>('SELECT title FROM documents WHERE id = $1', [documentId]);
  return rows[0]?.title ?? null;
}

/** The title, which nobody changes until the transaction has ended; null when the document is gone. */
async function holdTitle(tx: Sql, documentId: string): Promise<string | null> {
  const { rows } = await tx.query<{ title: string }>('SELECT title FROM documents WHERE id = $1 FOR NO KEY UPDATE', [
    documentId,
  ]);
  return rows[0]?.title ?? null;
}
