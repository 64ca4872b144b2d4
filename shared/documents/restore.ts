import type { Database, Sql } from '../database.js';
import type { Publisher } from '../realtime/publisher.js';
import { requireAccess } from './access.js';
import { announceUpdate } from './appender.js';
import { appendEdit } from './change-content.js';
import { claimClients } from './clients.js';
import { keepVersionNow } from './compact.js';
import { rewriteHere } from './edit.js';
import { contentOf, loadDocument } from './log.js';
import { lockRewrites } from './rewrite-lock.js';
import { insertVersions, readVersion } from './versions.js';

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
    const before = contentOf(doc).toString();
    const edit = rewriteHere(doc, content);
    if (!edit) return null;
    await keepLateEdits(tx, documentId, before);
    await claimClients(tx, where, [edit.clientId]);
    await dropUndos(tx, documentId);
    return appendEdit(tx, where, edit.update);
  });
  if (stored) announceUpdate(publisher, stored);
}

/** What was typed after the text was kept, a moment ago, goes too: it is kept as well. */
async function keepLateEdits(tx: Sql, documentId: string, content: string): Promise<void> {
  // Held, so that no compaction keeps a version at the same time; in the order in which it deletes them.
  const { rows } = await tx.query<{ authorIds: string[] }>(
    `SELECT array_to_json(author_ids) AS "authorIds" FROM document_updates WHERE document_id = $1
     ORDER BY seq FOR KEY SHARE`,
    [documentId],
  );
  const authorIds = [...new Set(rows.flatMap((row) => row.authorIds))];
  if (authorIds.length === 0) return;
  await insertVersions(tx, documentId, [{ content, authorIds, reason: 'before-restore', editedAt: Date.now() }]);
}

/** The text is what it was in a version: what was taken over of suggestions before is nothing to be taken back any more. */
async function dropUndos(tx: Sql, documentId: string): Promise<void> {
  await tx.query(
    'DELETE FROM document_undos USING document_suggestions AS suggestion WHERE suggestion.id = suggestion_id AND document_id = $1',
    [documentId],
  );
}
