import type { Database, Sql } from '../database.js';
import { AppError } from '../errors.js';
import type { Publisher } from '../realtime/publisher.js';
import { requireAccess } from './access.js';
import { appendUpdates } from './append.js';
import { announceUpdate, type Appender } from './appender.js';
import { readBase } from './bases.js';
import { claimClients } from './clients.js';
import { type Edit, rewriteHere, rewriteOffline } from './edit.js';
import { loadDocument } from './log.js';

/** What an edit over HTTP was made from: a state that was read, or the newest one under the condition that it is. */
export type Precondition = { base: string } | { ifMatch: (seq: number) => boolean };

type Where = { documentId: string; userId: string };
type Deps = { database: Database; publisher: Publisher; documents: Appender };

/**
 * Applies what differs between `content` and what its author had read. With a base, what others changed meanwhile
 * stays, as if the author had been offline; with a condition on the newest state a stale edit is refused.
 *
 * @throws AppError `not_found`, `forbidden`, `precondition_failed`.
 */
export async function changeContent(deps: Deps, where: Where, content: string, given: Precondition): Promise<void> {
  await requireAccess(deps.database, where.documentId, where.userId, 'edit');
  if ('base' in given) {
    const edit = rewriteOffline(await readBase(deps.database, where.documentId, given.base), content);
    if (edit) await storeEdit(deps, where, edit);
    return;
  }
  const { doc, seq } = await loadDocument(deps.database, where.documentId);
  if (!given.ifMatch(seq)) throw stale();
  const edit = rewriteHere(doc, content);
  if (edit) await storeIfUnchanged(deps, where, edit, given.ifMatch);
}

const stale = (): AppError =>
  new AppError('precondition_failed', 'The document has changed since. Read it again, or send `base` to have both.');

/** Stores an edit that was made here, under a client id that belongs to its author from now on. */
export async function storeEdit(
  { database, documents }: Pick<Deps, 'database' | 'documents'>,
  where: Where,
  { update, clientId }: Edit,
): Promise<{ seq: number }> {
  await claimClients(database, where, [clientId]);
  return documents.append({ ...where, update });
}

/** Looked at again under the lock of the document, so that nothing comes in between. */
async function storeIfUnchanged(
  { database, publisher }: Deps,
  where: Where,
  { update, clientId }: Edit,
  matches: (seq: number) => boolean,
): Promise<void> {
  // Before the lock: it looks at the document, which who deletes it locks first.
  await claimClients(database, where, [clientId]);
  const stored = await database.transaction(async (tx) => {
    const { rows } = await tx.query<{ seq: number }>(
      'SELECT last_seq::float8 AS seq FROM document_heads WHERE document_id = $1 FOR NO KEY UPDATE',
      [where.documentId],
    );
    if (!rows[0] || !matches(rows[0].seq)) throw stale();
    const [appended] = await appendUpdates(tx, [{ ...where, update }]);
    if (!appended) await requireAccess(tx, where.documentId, where.userId, 'edit');
    return appended;
  });
  if (!stored) throw new AppError('payload_too_large', 'The document has become too large.');
  announceUpdate(publisher, { ...where, update, seq: stored.seq });
}

/** Gives a new document its first text. */
export async function importContent(tx: Sql, where: Where, edit: Edit): Promise<void> {
  await claimClients(tx, where, [edit.clientId]);
  await appendUpdates(tx, [{ ...where, update: edit.update }]);
}
