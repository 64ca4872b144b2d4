import * as Y from 'yjs';
import type { Sql } from '../database.js';
import { AppError, notFound } from '../errors.js';
import { contentName } from './check-update.js';
import { maxMergeSteps, pageBytes, pageRows } from './limits.js';
import { type Effort, limitMerging, TooTangled } from './merge-effort.js';

/** Some updates of a document, in order. */
export type LogPage = {
  /** One after the other. */
  updates: Buffer;
  /** How many bytes each of them has. */
  lengths: number[];
  /** Everything up to here is in this page or was in the ones before. */
  seq: number;
  more: boolean;
};

/**
 * What a client lacks that has everything up to `after`. Compaction keeps the seq of the newest row that it
 * merges: so a row stands for everything up to its seq, and a client that has half of it gets it whole. Overlap is
 * harmless to Yjs; there is no gap.
 */
export async function readLogPage(sql: Sql, documentId: string, after: number): Promise<LogPage> {
  const { rows } = await sql.query<{ seq: number; update: Buffer }>({ ...pageStatement, values: [documentId, after] });
  const more =
    rows.length > 1 && (rows.length > pageRows || rows.reduce((sum, row) => sum + row.update.length, 0) > pageBytes);
  const page = more ? rows.slice(0, -1) : rows;
  return {
    updates: Buffer.concat(page.map(({ update }) => update)),
    lengths: page.map(({ update }) => update.length),
    seq: page.at(-1)?.seq ?? after,
    more,
  };
}

// One row more than the page may have says that there are more.
const pageStatement = {
  name: 'read-document-page',
  text: `
SELECT seq::float8 AS seq, update FROM (
  SELECT seq, update, sum(octet_length(update)) OVER (ORDER BY seq) - octet_length(update) AS before
  FROM (
    SELECT seq, update FROM document_updates WHERE document_id = $1 AND seq > $2 ORDER BY seq LIMIT ${pageRows + 1}
  ) AS next
) AS measured WHERE before <= ${pageBytes} ORDER BY seq`,
};

/** A document as it is in Postgres at one moment. */
export type LoadedDocument = { doc: Y.Doc; seq: number };

/**
 * Builds the document from its log.
 *
 * @param gc false keeps the text that was deleted from now on, so that it can be put back.
 * @throws AppError `not_found` when there is no such document; who may read it is asked elsewhere. And as {@link applyAll}.
 */
export async function loadDocument(sql: Sql, documentId: string, gc = true): Promise<LoadedDocument> {
  const { rows } = await sql.query<{ seq: number; update: Buffer | null }>({ ...loadStatement, values: [documentId] });
  const [row] = rows;
  if (!row) throw notFound('The document');
  const doc = new Y.Doc({ gc });
  await applyAll(
    doc,
    rows.flatMap(({ update }) => update ?? []),
  );
  return { doc, seq: row.seq };
}

// One statement, so that the seq and the rows are of one moment.
const loadStatement = {
  name: 'load-document',
  text: `SELECT head.last_seq::float8 AS seq, log.update FROM document_heads AS head
    LEFT JOIN document_updates AS log USING (document_id) WHERE head.document_id = $1 ORDER BY log.seq`,
};

/** Updates that are merged in one transaction: each of its own would look through much of the document. */
const slice = 500;

/**
 * Merges updates into a document, slice by slice. Between two of them the process does its other work; and what people
 * typed in one slice is joined before the next, so that there is less to be cut up and moved.
 *
 * @param effort what it may take; what is left of it afterwards is left there.
 * @throws AppError `payload_too_large` for what would hold up the process; see {@link limitMerging}.
 */
export async function applyAll(
  doc: Y.Doc,
  updates: readonly Uint8Array[],
  effort: Effort = { left: maxMergeSteps },
): Promise<void> {
  for (let at = 0; at < updates.length; at += slice) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve));
    applySlice(doc, updates.slice(at, at + slice), effort);
  }
}

function applySlice(doc: Y.Doc, updates: readonly Uint8Array[], effort: Effort): void {
  try {
    limitMerging(effort, doc, () =>
      doc.transact(() => {
        for (const update of updates) Y.applyUpdate(doc, update);
      }),
    );
  } catch (error) {
    if (!(error instanceof TooTangled)) throw error;
    throw new AppError(
      'payload_too_large',
      'The edits of the document are too entangled to be put together. Its versions can be read.',
      { cause: error },
    );
  }
}

/** The shared text of a document. */
export const contentOf = (doc: Y.Doc): Y.Text => doc.getText(contentName);

/**
 * The text of a document that goes on being merged. Once asked for the shared text, Yjs tidies formats up after each
 * transaction: 16,000 deletions in a text with one format took 15 s.
 */
export function readWhileMerging(doc: Y.Doc): string {
  let text = '';
  for (let item = doc.share.get(contentName)?._start ?? null; item !== null; item = item.right) {
    if (!item.deleted && item.content instanceof Y.ContentString) text += item.content.str;
  }
  return text;
}
