import * as Y from 'yjs';
import type { Database, Sql } from '../database.js';
import { AppError, notFound } from '../errors.js';
import type { Publisher } from '../realtime/publisher.js';
import { rooms } from '../realtime/rooms.js';
import { acceptHunks } from './accept-hunks.js';
import { requireAccess } from './access.js';
import { appendUpdates, explainRefusal, type NewUpdate } from './append.js';
import { announceUpdate } from './appender.js';
import { claimClients } from './clients.js';
import type { Hunk, HunkState } from './hunks.js';
import { contentOf, loadDocument } from './log.js';
import { isOvertaken } from './overtaken.js';
import { lockRewrites } from './rewrite-lock.js';
import { indexText } from './text-index.js';

type Deps = { database: Database; publisher: Publisher };

/** Which hunks of which suggestion, and who decides about them. All that can be decided on unless told. */
export type Decision = { documentId: string; suggestionId: string; userId: string; hunks?: number[] | undefined };

/**
 * Takes hunks over into the document, and keeps what takes each back. A hunk is stale, and stays out, when somebody has
 * replaced or deleted what it is about: beside what is there now its text would be there twice, or in the middle of
 * nothing. Those that are accepted already stay so: the same sent again, since no answer came, is made once.
 *
 * @returns the seq of the document after it.
 * @throws AppError `not_found`, `forbidden`, `conflict` when there is nothing (any more) to accept, or one that was
 * named is stale.
 */
export function acceptSuggestion(deps: Deps, decision: Decision): Promise<{ seq: number }> {
  return decide(deps, decision, { from: 'open', to: 'accepted' }, async (tx, { base, hunks }, chosen) => {
    const { doc, seq } = await loadDocument(tx, decision.documentId);
    const changes = chosen.map((hunk) => ({ hunk, changes: hunks[hunk]?.changes ?? [] }));
    // Postgres is asked, so that it sees that the transaction goes on.
    const { accepted, stale } = await acceptHunks(base, doc, changes, () => tx.query('SELECT 1'));
    const clientIds = accepted.flatMap(({ edit, undo }) => [edit.clientId, undo.clientId]);
    await claimClients(tx, decision, clientIds);
    await tx.query(
      `INSERT INTO document_undos (suggestion_id, hunk, update) SELECT $1, * FROM unnest($2::int[], $3::bytea[])`,
      [decision.suggestionId, accepted.map(({ hunk }) => hunk), accepted.map(({ undo }) => Buffer.from(undo.update))],
    );
    return { updates: accepted.map(({ edit }) => edit.update), stale, seq };
  });
}

/** Declines hunks. @throws AppError as {@link acceptSuggestion}. */
export async function rejectSuggestion(deps: Deps, decision: Decision): Promise<void> {
  await decide(deps, decision, { from: 'open', to: 'rejected' }, async () => ({ updates: [], stale: [], seq: 0 }));
}

/**
 * Takes accepted hunks back; what was typed since stays. One is stale when somebody has replaced or deleted what it put
 * there, or made the text what it was in a version.
 *
 * @throws AppError as {@link acceptSuggestion}.
 */
export function undoSuggestion(deps: Deps, decision: Decision): Promise<{ seq: number }> {
  return decide(deps, decision, { from: 'accepted', to: 'undone' }, async (tx, { base, hunks }, chosen) => {
    const { doc, seq } = await loadDocument(tx, decision.documentId);
    const { rows } = await tx.query<{ hunk: number; update: Buffer }>(
      'SELECT hunk, update FROM document_undos WHERE suggestion_id = $1 AND hunk = ANY($2::int[]) ORDER BY hunk DESC',
      [decision.suggestionId, chosen],
    );
    const offline = new Y.Doc();
    Y.applyUpdate(offline, base);
    const text = indexText(contentOf(offline));
    const left = rows.filter(
      ({ hunk, update: undo }) => !isOvertaken(text, doc, { changes: hunks[hunk]?.changes ?? [], undo }),
    );
    const stale = chosen.filter((index) => !left.some(({ hunk }) => hunk === index));
    return { updates: left.map(({ update }) => update), stale, seq };
  });
}

type Suggestion = { base: Buffer; hunks: Hunk[]; state: string };

/** What deciding on hunks does to a text at `seq`: the edits to be stored, and those hunks that it cannot be done with. */
type Outcome = { updates: Uint8Array[]; stale: number[]; seq: number };

/** An update that was stored, to be told to the room. */
type Stored = { update: Uint8Array; seq: number };

/** Writes the decision and the text together; of two who decide at once the second finds what the first has decided. */
async function decide(
  deps: Deps,
  decision: Decision,
  move: { from: HunkState; to: HunkState },
  edit: (tx: Sql, suggestion: Suggestion, chosen: number[]) => Promise<Outcome>,
): Promise<{ seq: number }> {
  const { documentId, suggestionId, userId } = decision;
  await requireAccess(deps.database, documentId, userId, 'edit');
  const { stored, seq, stale, chosen } = await deps.database.transaction(async (tx) => {
    await lockRewrites(tx, documentId);
    const suggestion = await lockSuggestion(tx, decision);
    const chosen = choose(suggestion.hunks, decision.hunks, move);
    const { updates, stale, seq } = await edit(tx, suggestion, chosen);
    if (decision.hunks && stale.length > 0) throw staleHunks(stale);
    for (const index of chosen) (suggestion.hunks[index] as Hunk).state = stale.includes(index) ? 'stale' : move.to;
    await tx.query('UPDATE document_suggestions SET hunks = $2 WHERE id = $1', [
      suggestionId,
      JSON.stringify(suggestion.hunks),
    ]);
    return { stored: await append(tx, decision, updates), seq, stale, chosen };
  });
  for (const each of stored) announceUpdate(deps.publisher, { documentId, userId, ...each });
  if (chosen.length > 0) {
    void deps.publisher.emit(rooms.document(documentId), 'suggestion:resolved', { documentId, suggestionId });
    if (stale.length === chosen.length) throw staleHunks(stale);
  }
  return { seq: Math.max(seq, ...stored.map((each) => each.seq)) };
}

async function lockSuggestion(tx: Sql, { documentId, suggestionId }: Decision): Promise<Suggestion> {
  // In the way of a deletion of the document only, which would else wait for us while we wait for it.
  await tx.query('SELECT 1 FROM documents WHERE id = $1 FOR KEY SHARE', [documentId]);
  const { rows } = await tx.query<Suggestion>(
    `SELECT base_state AS base, hunks, state FROM document_suggestions WHERE id = $1 AND document_id = $2 FOR UPDATE`,
    [suggestionId, documentId],
  );
  const [row] = rows;
  if (!row) throw notFound('The suggestion');
  if (row.state !== 'ready')
    throw new AppError('conflict', `The suggestion is ${row.state}; there is nothing to decide.`);
  return row;
}

/**
 * The hunks that are still to be moved; none when all are where they should be.
 *
 * @throws AppError `conflict` when one of those that were named is in another state, or all are.
 */
function choose(
  hunks: Hunk[],
  wanted: number[] | undefined,
  { from, to }: { from: HunkState; to: HunkState },
): number[] {
  const indexes = (state: HunkState): number[] => hunks.flatMap((hunk, at) => (hunk.state === state ? [at] : []));
  const [open, done] = [indexes(from), indexes(to)];
  if (open.length + done.length === 0 || wanted?.some((at) => !open.includes(at) && !done.includes(at))) {
    throw new AppError('conflict', `There is no such hunk that is ${from}.`);
  }
  return wanted ? open.filter((at) => wanted.includes(at)) : open;
}

async function append(tx: Sql, { documentId, userId }: Decision, updates: Uint8Array[]): Promise<Stored[]> {
  const edits = updates.map((update): NewUpdate => ({ documentId, userId, update }));
  const appended = await appendUpdates(tx, edits);
  const stored: Stored[] = [];
  for (const [index, edit] of edits.entries()) {
    const place = appended[index] ?? (await explainRefusal(tx, edit));
    stored.push({ update: edit.update, seq: place.seq });
  }
  return stored;
}

const staleHunks = (hunks: number[]): AppError =>
  new AppError(
    'conflict',
    `What it is about was replaced or deleted meanwhile (hunks ${hunks.slice(0, 20).join(', ')}). Ask for the edit anew.`,
  );
