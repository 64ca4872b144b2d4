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
import { loadDocument } from './log.js';
import { lockRewrites } from './rewrite-lock.js';

type Deps = { database: Database; publisher: Publisher };

/** Which hunks of which suggestion, and who decides about them. All that can be decided on unless told. */
export type Decision = { documentId: string; suggestionId: string; userId: string; hunks?: number[] | undefined };

/**
 * Takes hunks over into the document, and keeps what takes each back. A hunk is stale, and stays out, when somebody has
 * replaced or deleted what it is about: beside what is there now its text would be there twice, or in the middle of
 * nothing.
 *
 * @returns the seq of the document after it.
 * @throws AppError `not_found`, `forbidden`, `conflict` when there is nothing (any more) to accept, or one that was
 * named is stale.
 */
export async function acceptSuggestion(deps: Deps, decision: Decision): Promise<{ seq: number }> {
  const { database } = deps;
  const { documentId, suggestionId } = decision;
  const { base, hunks } = await readOpen(database, decision);
  const chosen = choose(hunks, decision.hunks, 'open');
  const stored = await database.transaction(async (tx) => {
    await lockRewrites(tx, documentId);
    const { doc } = await loadDocument(tx, documentId);
    const changes = chosen.map((hunk) => ({ hunk, changes: hunks[hunk]?.changes ?? [] }));
    const { accepted, stale } = acceptHunks(base, doc, changes);
    if (decision.hunks && stale.length > 0) throw staleHunks(stale);
    const clientIds = accepted.flatMap(({ edit, undo }) => [edit.clientId, undo.clientId]);
    await claimClients(tx, decision, clientIds);
    const to = (hunk: number): HunkState => (stale.includes(hunk) ? 'stale' : 'accepted');
    const updates = accepted.map(({ edit }) => edit.update);
    const appended = await decide(tx, decision, { chosen, from: 'open', to, updates });
    await tx.query(
      `INSERT INTO document_undos (suggestion_id, hunk, update) SELECT $1, * FROM unnest($2::int[], $3::bytea[])`,
      [suggestionId, accepted.map(({ hunk }) => hunk), accepted.map(({ undo }) => Buffer.from(undo.update))],
    );
    return { appended, stale };
  });
  const told = tell(deps, decision, stored.appended);
  if (stored.stale.length === chosen.length) throw staleHunks(stored.stale);
  return told;
}

const staleHunks = (hunks: number[]): AppError =>
  new AppError(
    'conflict',
    `What it is about was replaced or deleted meanwhile (hunks ${hunks.slice(0, 20).join(', ')}). Ask for the edit anew.`,
  );

/** Declines hunks. @throws AppError as {@link acceptSuggestion}. */
export async function rejectSuggestion(deps: Deps, decision: Decision): Promise<void> {
  const { hunks } = await readOpen(deps.database, decision);
  const chosen = choose(hunks, decision.hunks, 'open');
  await decideNow(deps, decision, { chosen, from: 'open', to: () => 'rejected', updates: [] });
}

/** Takes accepted hunks back; what was typed since stays. @throws AppError as {@link acceptSuggestion}. */
export async function undoSuggestion(deps: Deps, decision: Decision): Promise<{ seq: number }> {
  const { hunks } = await readOpen(deps.database, decision);
  const chosen = choose(hunks, decision.hunks, 'accepted');
  const { rows } = await deps.database.query<{ update: Buffer }>(
    'SELECT update FROM document_undos WHERE suggestion_id = $1 AND hunk = ANY($2::int[]) ORDER BY hunk DESC',
    [decision.suggestionId, chosen],
  );
  const updates = rows.map(({ update }) => update);
  return decideNow(deps, decision, { chosen, from: 'accepted', to: () => 'undone', updates });
}

async function readOpen(
  sql: Sql,
  { documentId, suggestionId, userId }: Decision,
): Promise<{ base: Buffer; hunks: Hunk[] }> {
  await requireAccess(sql, documentId, userId, 'edit');
  const { rows } = await sql.query<{ base: Buffer; hunks: Hunk[]; state: string }>(
    'SELECT base_state AS base, hunks, state FROM document_suggestions WHERE id = $1 AND document_id = $2',
    [suggestionId, documentId],
  );
  const [row] = rows;
  if (!row) throw notFound('The suggestion');
  if (row.state !== 'ready')
    throw new AppError('conflict', `The suggestion is ${row.state}; there is nothing to decide.`);
  return row;
}

/** @throws AppError `conflict` when one of those that were named is in another state, or none is in this one. */
function choose(hunks: Hunk[], wanted: number[] | undefined, state: HunkState): number[] {
  const inState = hunks.flatMap((hunk, index) => (hunk.state === state ? [index] : []));
  const chosen = wanted ? [...new Set(wanted)].sort((one, other) => one - other) : inState;
  if (chosen.length === 0 || chosen.some((index) => !inState.includes(index))) {
    throw new AppError('conflict', `There is no such hunk that is ${state}.`);
  }
  return chosen;
}

type Move = { chosen: number[]; from: HunkState; to: (hunk: number) => HunkState; updates: Uint8Array[] };

/** An update that was stored, to be told to the room. */
type Stored = { update: Uint8Array; seq: number };

async function decideNow(deps: Deps, decision: Decision, move: Move): Promise<{ seq: number }> {
  return tell(deps, decision, await deps.database.transaction((tx) => decide(tx, decision, move)));
}

/** Writes the decision and the text together; of two who decide at once the second finds it decided. */
async function decide(tx: Sql, decision: Decision, move: Move): Promise<Stored[]> {
  const { documentId, suggestionId, userId } = decision;
  // In the way of a deletion of the document only, which would else wait for us while we wait for it.
  await tx.query('SELECT 1 FROM documents WHERE id = $1 FOR KEY SHARE', [documentId]);
  const { rows } = await tx.query<{ hunks: Hunk[] }>(
    'SELECT hunks FROM document_suggestions WHERE id = $1 FOR UPDATE',
    [suggestionId],
  );
  if (!rows[0]) throw notFound('The suggestion');
  const { hunks } = rows[0];
  choose(hunks, move.chosen, move.from);
  for (const index of move.chosen) (hunks[index] as Hunk).state = move.to(index);
  await tx.query('UPDATE document_suggestions SET hunks = $2 WHERE id = $1', [suggestionId, JSON.stringify(hunks)]);
  const edits = move.updates.map((update) => ({ documentId, userId, update }));
  const stored: Stored[] = [];
  for (const [index, appended] of (await appendUpdates(tx, edits)).entries()) {
    const edit = edits[index] as NewUpdate;
    if (!appended) return explainRefusal(tx, edit);
    stored.push({ update: edit.update, seq: appended.seq });
  }
  return stored;
}

function tell({ publisher }: Deps, decision: Decision, stored: Stored[]): { seq: number } {
  const { documentId, suggestionId, userId } = decision;
  for (const each of stored) announceUpdate(publisher, { documentId, userId, ...each });
  void publisher.emit(rooms.document(documentId), 'suggestion:resolved', { documentId, suggestionId });
  return { seq: Math.max(0, ...stored.map(({ seq }) => seq)) };
}
