import type { Database, Sql } from '../database.js';
import { AppError, notFound } from '../errors.js';
import type { Publisher } from '../realtime/publisher.js';
import { rooms } from '../realtime/rooms.js';
import { acceptHunks } from './accept-hunks.js';
import { requireAccess } from './access.js';
import { appendUpdates, explainRefusal } from './append.js';
import { announceUpdate } from './appender.js';
import { claimClients } from './clients.js';
import type { Hunk, HunkState } from './hunks.js';
import { loadDocument } from './log.js';

type Deps = { database: Database; publisher: Publisher };

/** Which hunks of which suggestion, and who decides about them. All that can be decided on unless told. */
export type Decision = { documentId: string; suggestionId: string; userId: string; hunks?: number[] | undefined };

/**
 * Takes hunks over into the document, and keeps what takes each back.
 *
 * @returns the seq of the document after it.
 * @throws AppError `not_found`, `forbidden`, `conflict` when there is nothing (any more) to accept.
 */
export async function acceptSuggestion(deps: Deps, decision: Decision): Promise<{ seq: number }> {
  const { database } = deps;
  const { base, hunks } = await readOpen(database, decision);
  const chosen = choose(hunks, decision.hunks, 'open');
  const { doc } = await loadDocument(database, decision.documentId);
  const accepted = acceptHunks(
    base,
    doc,
    chosen.map((hunk) => ({ hunk, changes: hunks[hunk]?.changes ?? [] })),
  );
  const clientIds = accepted.flatMap(({ edit, undo }) => [edit.clientId, undo.clientId]);
  await claimClients(database, decision, clientIds);
  const updates = accepted.map(({ edit }) => edit.update);
  return store(deps, decision, { chosen, from: 'open', to: 'accepted', updates }, async (tx) => {
    await tx.query(
      `INSERT INTO document_undos (suggestion_id, hunk, update) SELECT $1, * FROM unnest($2::int[], $3::bytea[])`,
      [decision.suggestionId, accepted.map(({ hunk }) => hunk), accepted.map(({ undo }) => Buffer.from(undo.update))],
    );
  });
}

/** Declines hunks. @throws AppError as {@link acceptSuggestion}. */
export async function rejectSuggestion(deps: Deps, decision: Decision): Promise<void> {
  const { hunks } = await readOpen(deps.database, decision);
  const chosen = choose(hunks, decision.hunks, 'open');
  await store(deps, decision, { chosen, from: 'open', to: 'rejected', updates: [] });
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
  return store(deps, decision, { chosen, from: 'accepted', to: 'undone', updates });
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

type Move = { chosen: number[]; from: HunkState; to: HunkState; updates: Uint8Array[] };

/** Writes the decision and the text in one transaction; of two who decide at once the second finds it decided. */
async function store(
  deps: Deps,
  decision: Decision,
  move: Move,
  also?: (tx: Sql) => Promise<void>,
): Promise<{ seq: number }> {
  const { documentId, suggestionId, userId } = decision;
  const stored = await deps.database.transaction(async (tx) => {
    const { rows } = await tx.query<{ hunks: Hunk[] }>(
      'SELECT hunks FROM document_suggestions WHERE id = $1 FOR UPDATE',
      [suggestionId],
    );
    if (!rows[0]) throw notFound('The suggestion');
    const { hunks } = rows[0];
    choose(hunks, move.chosen, move.from);
    for (const index of move.chosen) (hunks[index] as Hunk).state = move.to;
    await tx.query('UPDATE document_suggestions SET hunks = $2 WHERE id = $1', [suggestionId, JSON.stringify(hunks)]);
    await also?.(tx);
    const results = await appendUpdates(
      tx,
      move.updates.map((update) => ({ documentId, userId, update })),
    );
    if (results.includes(null)) await explainRefusal(tx, { documentId, userId, update: new Uint8Array() });
    return results;
  });
  let seq = 0;
  stored.forEach((appended, index) => {
    const update = move.updates[index];
    if (!appended || !update) return;
    seq = Math.max(seq, appended.seq);
    announceUpdate(deps.publisher, { documentId, userId, update, seq: appended.seq });
  });
  void deps.publisher.emit(rooms.document(documentId), 'suggestion:resolved', { documentId, suggestionId });
  return { seq };
}
