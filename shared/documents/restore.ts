import type { Database, Sql } from '../database.js';
import type { Publisher } from '../realtime/publisher.js';
import { requireAccess } from './access.js';
import { announceUpdate } from './appender.js';
import { appendEdit } from './change-content.js';
import { claimClients } from './clients.js';
import { keepVersionNow } from './compact.js';
import { rewriteHere } from './edit.js';
import { loadDocument } from './log.js';
import { lockRewrites } from './rewrite-lock.js';
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
    await lockRewrites(tx, documentId);
    const { doc } = await loadDocument(tx, documentId);
    const edit = rewriteHere(doc, content);
    if (!edit) return null;
    await claimClients(tx, where, [edit.clientId]);
    await dropUndos(tx, documentId);
    return appendEdit(tx, where, edit.update);
  });
  if (stored) announceUpdate(publisher, stored);
}

/** The text is what it was in a version: what was taken over of suggestions before is nothing to be taken back any more. */
async function dropUndos(tx: Sql, documentId: string): Promise<void> {
  await tx.query(
    'DELETE FROM document_undos USING document_suggestions AS suggestion WHERE suggestion.id = suggestion_id AND document_id = $1',
    [documentId],
  );
}
