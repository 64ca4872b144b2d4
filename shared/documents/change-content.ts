import { createHash } from 'node:crypto';
import * as Y from 'yjs';
import type { Database, Sql } from '../database.js';
import { AppError } from '../errors.js';
import type { Publisher } from '../realtime/publisher.js';
import { requireAccess } from './access.js';
import { appendUpdates, explainRefusal } from './append.js';
import { announceUpdate, type Appender } from './appender.js';
import { readBase } from './bases.js';
import { checkUpdate } from './check-update.js';
import { claimClients } from './clients.js';
import { type Edit, rewriteHere, rewriteOffline } from './edit.js';
import { loadDocument } from './log.js';
import type { MergeTrials } from './merge-trials.js';

/** What an edit over HTTP was made from: a state that was read, or the newest one under the condition that it is. */
export type Precondition = { base: string } | { ifMatch: (seq: number) => boolean };

type Where = { documentId: string; userId: string };
type Deps = { database: Database; publisher: Publisher; documents: Appender; mergeTrials: MergeTrials };

/**
 * Applies what differs between `content` and what its author had read. With a base, what others changed meanwhile
 * stays, as if the author had been offline; with a condition on the newest state a stale edit is refused.
 *
 * @throws AppError `not_found`, `forbidden`, `precondition_failed`, `payload_too_large`.
 */
export async function changeContent(deps: Deps, where: Where, content: string, given: Precondition): Promise<void> {
  await requireAccess(deps.database, where.documentId, where.userId, 'edit');
  if ('base' in given) await changeBase(deps, where, content, given.base);
  else await changeNewest(deps, where, content, given.ifMatch);
}

/** Who sends the same again, not knowing whether it arrived, sends the same update: to Yjs twice is once. */
async function changeBase(
  { database, documents, mergeTrials }: Deps,
  where: Where,
  content: string,
  base: string,
): Promise<void> {
  const state = await readBase(database, where.documentId, base);
  let edit = rewriteOffline(state, content, clientIdOf(where, base, content));
  if (!edit) return;
  const foreign = await claimClients(database, where, [edit.clientId]);
  if (foreign.length > 0) {
    edit = rewriteOffline(state, content, new Y.Doc().clientID) as Edit;
    await claimClients(database, where, [edit.clientId]);
  }
  const update = { ...where, update: edit.update };
  // Of many that are made from the same text each stands beside all those before it, in every place.
  if (mergeTrials.count(where.documentId, checkUpdate(edit.update).pieces)) await mergeTrials.run(update);
  await documents.append(update);
}

/** The same for the same edit, and else as good as one by chance; Yjs takes 32 bits. */
function clientIdOf({ documentId, userId }: Where, base: string, content: string): number {
  return createHash('sha256')
    .update(JSON.stringify([documentId, userId, base, content]))
    .digest()
    .readUInt32BE();
}

const stale = (): AppError =>
  new AppError('precondition_failed', 'The document has changed since. Read it again, or send `base` to have both.');

/** Looked at again under the lock of the document, so that nothing comes in between. */
async function changeNewest(
  { database, publisher }: Deps,
  where: Where,
  content: string,
  matches: (seq: number) => boolean,
): Promise<void> {
  const { doc, seq } = await loadDocument(database, where.documentId);
  if (!matches(seq)) throw stale();
  const edit = rewriteHere(doc, content);
  if (!edit) return;
  // Before the lock: it looks at the document, which who deletes it locks first.
  await claimClients(database, where, [edit.clientId]);
  const stored = await database.transaction(async (tx) => {
    const { rows } = await tx.query<{ seq: number }>(
      'SELECT last_seq::float8 AS seq FROM document_heads WHERE document_id = $1 FOR NO KEY UPDATE',
      [where.documentId],
    );
    if (!rows[0] || !matches(rows[0].seq)) throw stale();
    if (rows[0].seq === seq) return appendEdit(tx, where, edit.update);
    // It matches whatever it is, and what came in between is not to stay beside the new text.
    const newest = (await loadDocument(tx, where.documentId)).doc;
    newest.clientID = edit.clientId;
    const other = rewriteHere(newest, content);
    return other && appendEdit(tx, where, other.update);
  });
  if (stored) announceUpdate(publisher, stored);
}

/** Appends an edit in a transaction. @throws AppError when it is not taken. @returns what the room is to be told. */
export async function appendEdit(
  tx: Sql,
  where: Where,
  update: Uint8Array,
): Promise<Where & { update: Uint8Array; seq: number }> {
  const edit = { ...where, update };
  const [appended] = await appendUpdates(tx, [edit]);
  return appended ? { ...edit, seq: appended.seq } : explainRefusal(tx, edit);
}

/** Gives a new document its first text. */
export async function importContent(tx: Sql, where: Where, edit: Edit): Promise<void> {
  await claimClients(tx, where, [edit.clientId]);
  await appendUpdates(tx, [{ ...where, update: edit.update }]);
}
