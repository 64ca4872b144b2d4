import type { Sql } from '../database.js';
import { AppError } from '../errors.js';
import { createTurns } from '../turns.js';
import type { NewUpdate } from './append.js';
import { fewPieces, tryEveryPieces } from './limits.js';
import type { MergeAnswer, MergeTask } from './merge-thread.js';
import { runThread } from './run-thread.js';

/** Finds out, before updates are stored, whether they can be merged in reasonable time. */
export type MergeTrials = {
  /** Counts what an update adds to a document, of one who may edit it. @returns whether it is to be tried first. */
  count(documentId: string, pieces: number): boolean;
  /** @throws AppError `payload_too_large` when it is too much for every process and browser that has the document. */
  run(update: NewUpdate): Promise<void>;
};

/** Documents that are counted; of one that is forgotten it begins anew. */
const maxDocuments = 10_000;

/** What one person writes offline in months takes a second or two. */
const limitMs = 15_000;

/** What each row of a log that nobody has compacted may take beside that. */
const limitMsOfRow = 0.1;

/**
 * Yjs itself takes any update, and some of those that are made for it hold up everybody who merges them for minutes. A
 * paste is one piece, whatever its length; of what was typed offline each place is one.
 */
export function createMergeTrials(sql: Sql, every = tryEveryPieces): MergeTrials {
  const counted = new Map<string, number>();
  const turns = createTurns();

  return {
    count(documentId, pieces) {
      if (pieces <= fewPieces) return false;
      const sum = (counted.get(documentId) ?? 0) + pieces;
      if (counted.size >= maxDocuments && !counted.has(documentId)) counted.clear();
      counted.set(documentId, sum);
      return sum > every;
    },
    run({ documentId, userId, update }) {
      return turns.take(userId, async () => {
        const { rows } = await sql.query<{ update: Buffer }>(
          'SELECT update FROM document_updates AS log WHERE document_id = $1 ORDER BY log.seq',
          [documentId],
        );
        const task: MergeTask = { log: rows.map((row) => row.update), update };
        const limit = { limitMs: limitMs + rows.length * limitMsOfRow, tooLong: tooMuch };
        const answer = await runThread<MergeAnswer>('merge-thread.js', task, limit);
        if (answer === 'tangled') throw tooMuch();
        if (answer === 'early') throw early();
        counted.set(documentId, 0);
      });
    },
  };
}

const tooMuch = (): AppError =>
  new AppError(
    'payload_too_large',
    'The update is made of too many pieces that stand between others; it would hold up everybody who has the document.',
  );

const early = (): AppError =>
  new AppError('conflict', 'The update goes on with something that is not stored yet. Send it when that is.');
