import { AppError } from '../errors.js';
import type { Database } from '../database.js';
import { requireAccess } from './access.js';
import type { Appender } from './appender.js';
import { storeEdit } from './change-content.js';
import { rewriteHere } from './edit.js';
import { contentOf, loadDocument } from './log.js';
import { insertVersions, readVersion } from './versions.js';

type Deps = { database: Database; documents: Appender };

/**
 * Makes the text what it was in a version, as a new edit like any other; what it was before is kept as a version.
 *
 * @throws AppError `not_found`, `forbidden`.
 */
export async function restoreVersion(
  deps: Deps,
  where: { documentId: string; userId: string },
  n: number,
): Promise<void> {
  const { documentId, userId } = where;
  await requireAccess(deps.database, documentId, userId, 'edit');
  const { content } = await readVersion(deps.database, documentId, n);
  const { doc } = await loadDocument(deps.database, documentId);
  const before = contentOf(doc).toString();
  const edit = rewriteHere(doc, content);
  if (!edit) return;
  await deps.database.transaction(async (tx) => {
    const locked = await tx.query('SELECT 1 FROM document_heads WHERE document_id = $1 FOR UPDATE', [documentId]);
    if (locked.rowCount !== 1) throw new AppError('not_found', 'The document was deleted.');
    const version = { content: before, authorIds: [userId], reason: 'before-restore' as const, editedAt: Date.now() };
    await insertVersions(tx, documentId, [version]);
  });
  await storeEdit(deps, where, edit);
}
