import type { Database, Sql } from '../database.js';
import type { Publisher } from '../realtime/publisher.js';
import { requireAccess } from './access.js';
import { announceUpdate } from './appender.js';
import { appendEdit } from './change-content.js';
import { claimClients } from './clients.js';
import { keepVersionNow } from './compact.js';
import { rewriteHere } from './edit.js';
import { loadDocument } from './log.js';
import { readVersion } from './versions.js';

type Deps = { database: Database; publisher: Publisher };

/**
 * Makes the text what it was in a version, as a new edit like any other; what it was before is kept as a version.
 *
 * @throws AppError `not_found`, `forbidden`, `payload_too_large`.
 */
export async function restoreVersion(
  { database, publisher }: Deps,
  where: { documentId: string; userId: string },
  n: number,
): Promise<void> {
  const { documentId, userId } = where;
  await requireAccess(database, documentId, userId, 'edit');
  const { content } = await readVersion(database, documentId, n);
  await keepVersionNow(database, documentId, 'before-restore');
  const stored = await database.transaction(async (tx) => {
    await lockRestores(tx, documentId);
    const { doc } = await loadDocument(tx, documentId);
    const edit = rewriteHere(doc, content);
    if (!edit) return null;
    await claimClients(tx, where, [edit.clientId]);
    return appendEdit(tx, where, edit.update);
  });
  if (stored) announceUpdate(publisher, stored);
}

/**
 * Two who restore at once would both put the text in, and it would be there twice: the second waits, and finds what the
 * first has done. Nobody else waits, and what is typed meanwhile stays.
 */
async function lockRestores(tx: Sql, documentId: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`restore ${documentId}`]);
}
