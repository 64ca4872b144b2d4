import * as Y from 'yjs';
import type { Database, Sql } from '../database.js';
import { maxMergeSteps } from './limits.js';
import { applyAll, readWhileMerging } from './log.js';
import { createCutter, type Cut } from './version-schedule.js';
import { insertVersions, markNewestVersion, type NewVersion, thinVersions } from './versions.js';

/** What a compaction did; nothing when there was nothing to do, or somebody else did it at the same time. */
export type Compacted = { rows: number; bytes: number; versions: number } | null;

/** `authors` is the array as Postgres writes it, `createdAt` milliseconds: there may be a hundred thousand of them. */
type Row = { seq: number; update: Buffer; authors: string; createdAt: number; begunAt: number | null };

/** Updates that are put together at a time, with as much effort as a process may take to read a whole document. */
const slice = 500;

/**
 * Merges the log of a document into one row, which takes the seq of the newest row that was merged: it stands for
 * everything up to there. Writers are not stopped: what they add meanwhile comes behind it.
 *
 * Exactly the rows that were read are deleted. Two compactions at once, or one that is repeated, do no harm: the
 * first that commits has deleted the oldest row, which the other misses, and changes nothing.
 *
 * @param guard called first in the transaction that writes; what it throws undoes all.
 */
export async function compactDocument(
  database: Database,
  documentId: string,
  options: Options = {},
): Promise<Compacted> {
  return compactOnce(database, documentId, options).catch((error: unknown) => {
    if (error instanceof Superseded) return null;
    throw error;
  });
}

/** More often nobody is in the way. */
const maxTries = 5;

/**
 * Keeps the text as it is now as a version, with those before it that are due, unless it is in one already.
 *
 * @param reason why, which also keeps the version longer than others.
 */
export async function keepVersionNow(
  database: Database,
  documentId: string,
  reason: NewVersion['reason'],
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await compactOnce(database, documentId, { cutNow: true });
      break;
    } catch (error) {
      if (!(error instanceof Superseded) || tries === maxTries) throw error;
    }
  }
  await markNewestVersion(database, documentId, reason);
}

type Options = {
  guard?: (tx: Sql) => Promise<void>;
  signal?: AbortSignal;
  now?: number;
  /** Cuts a version at the end, due or not. */
  cutNow?: boolean;
  /** What the merge may take all in all; as much as reading may unless told. */
  steps?: number;
};

/** @throws Superseded when somebody else was first. */
async function compactOnce(database: Database, documentId: string, options: Options): Promise<Compacted> {
  const { rows } = await database.query<Row>(
    `SELECT seq::float8 AS seq, update, author_ids::text AS authors,
       (extract(epoch FROM created_at) * 1000)::float8 AS "createdAt",
       (extract(epoch FROM begun_at) * 1000)::float8 AS "begunAt"
     FROM document_updates AS log WHERE document_id = $1 ORDER BY log.seq`,
    [documentId],
  );
  const newest = rows.at(-1);
  if (!newest) return null;
  const merged = await merge(rows, options);
  if (rows.length < 2 && merged.versions.length === 0) return null;
  return database.transaction(async (tx): Promise<Compacted> => {
    await options.guard?.(tx);
    // In the way of a deletion of the document only, which would else wait for us while we wait for it.
    const alive = await tx.query('SELECT 1 FROM documents WHERE id = $1 FOR KEY SHARE', [documentId]);
    if (alive.rowCount !== 1) return null;
    await replaceRows(tx, documentId, { rows, newest, ...merged });
    await insertVersions(tx, documentId, merged.versions);
    await thinVersions(tx, documentId, options.now ?? Date.now());
    return { rows: rows.length, bytes: merged.update.byteLength, versions: merged.versions.length };
  });
}

/** Builds the document in order, cutting versions of its text on the way. Never `mergeUpdates`: it takes minutes. */
async function merge(rows: Row[], { now = Date.now(), signal, cutNow = false, steps = maxMergeSteps }: Options) {
  const doc = new Y.Doc();
  const cutter = createCutter();
  const versions: NewVersion[] = [];
  let waiting: Buffer[] = [];
  let left = steps;
  const flush = async (): Promise<void> => {
    const effort = { left: Math.min(left, maxMergeSteps) };
    left -= effort.left;
    await applyAll(doc, waiting, effort);
    left += effort.left;
    waiting = [];
  };
  const cutOff = async (cut: Cut | null): Promise<void> => {
    if (!cut) return;
    await flush();
    versions.push({ ...cut, content: readWhileMerging(doc), reason: 'schedule' });
  };
  const known = new Map<string, string[]>();
  for (const { update, authors, createdAt, begunAt } of rows) {
    const authorIds = known.get(authors) ?? authors.slice(1, -1).split(',').filter(Boolean);
    known.set(authors, authorIds);
    await cutOff(cutter.before({ createdAt, authorIds, begunAt }));
    waiting.push(update);
    if (waiting.length < slice) continue;
    await flush();
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
  await flush();
  await cutOff(cutNow ? cutter.now() : cutter.end(now));
  const update = Y.encodeStateAsUpdate(doc);
  doc.destroy();
  return { update, versions, ...cutter.left() };
}

type Replacement = { rows: Row[]; newest: Row; update: Uint8Array; authorIds: string[]; begunAt: number | null };

async function replaceRows(
  tx: Sql,
  documentId: string,
  { rows, newest, update, authorIds, begunAt }: Replacement,
): Promise<void> {
  // Seqs are given out under a lock that is held until the commit: nothing up to the newest that was read can have
  // come since.
  const { rowCount } = await tx.query('DELETE FROM document_updates WHERE document_id = $1 AND seq <= $2', [
    documentId,
    newest.seq,
  ]);
  if (rowCount !== rows.length) {
    // Somebody else has merged some of them; what is deleted here must not be committed.
    throw new Superseded();
  }
  await tx.query(
    `INSERT INTO document_updates (document_id, seq, update, author_ids, created_at, begun_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [
      documentId,
      newest.seq,
      Buffer.from(update),
      authorIds,
      new Date(newest.createdAt),
      begunAt === null ? null : new Date(begunAt),
    ],
  );
  const before = rows.reduce((sum, row) => sum + row.update.length, 0);
  await tx.query('UPDATE document_heads SET log_bytes = greatest(0, log_bytes + $2) WHERE document_id = $1', [
    documentId,
    update.byteLength - before,
  ]);
}

/** Another compaction was first. */
class Superseded extends Error {}
