import { v7 as uuidv7 } from 'uuid';
import type { Sql } from '../../database.js';
import { JobFailure } from '../../errors.js';
import type { NewChunk } from '../chunks.js';
import { passageLength } from '../ranking/bm25.js';
import { hashOf, indexedTextOf } from './indexed-text.js';

/**
 * Keeps a document from being deleted until the transaction ends. Never waits for a deletion, which may wait for
 * the row of the job that asks.
 *
 * @returns false when it is gone.
 * @throws JobFailure (transient) while it is being deleted.
 */
export async function holdDocument(tx: Sql, documentId: string): Promise<boolean> {
  const held = await tx.query('SELECT 1 FROM documents WHERE id = $1 FOR KEY SHARE SKIP LOCKED', [documentId]);
  if (held.rowCount === 1) return true;
  const there = await tx.query('SELECT 1 FROM documents WHERE id = $1', [documentId]);
  if (there.rowCount === 0) return false;
  throw new JobFailure('document_locked', 'The document is being deleted.', { transient: true });
}

type Known = { id: string; hash: Buffer };
type Row = NewChunk & { id: string; index: number; hash: Buffer };

/**
 * Makes the stored passages those of a text. One whose words are there already keeps its id, its vector and its
 * point, wherever the words have moved; one whose words are gone is marked so until its point is removed.
 *
 * Call it in a transaction that holds the document.
 */
export async function storePassages(
  tx: Sql,
  document: { documentId: string; seq: number },
  passages: readonly NewChunk[],
): Promise<void> {
  const { documentId, seq } = document;
  const { rows: known } = await tx.query<Known>(
    'SELECT id, content_hash AS hash FROM document_chunks WHERE document_id = $1 AND index IS NOT NULL ORDER BY index',
    [documentId],
  );
  const free = new Map<string, string[]>();
  for (const { id, hash } of known) {
    const key = hash.toString('hex');
    free.set(key, [...(free.get(key) ?? []), id]);
  }
  const kept: Row[] = [];
  const added: Row[] = [];
  for (const [index, passage] of passages.entries()) {
    const hash = hashOf(passage);
    const id = free.get(hash.toString('hex'))?.shift();
    if (id === undefined) added.push({ ...passage, id: uuidv7(), index, hash });
    else kept.push({ ...passage, id, index, hash });
  }
  await tx.query('UPDATE document_chunks SET index = NULL WHERE id = ANY($1::uuid[])', [[...free.values()].flat()]);
  await moveKept(tx, kept);
  await insertAdded(tx, documentId, added);
  await tx.query({
    name: 'store-indexed-document',
    text: `INSERT INTO indexed_documents AS known (document_id, seq, chunk_count, term_count)
      SELECT $1, $2, count(*), coalesce(sum(term_count), 0) FROM document_chunks WHERE document_id = $1 AND index IS NOT NULL
      ON CONFLICT (document_id) DO UPDATE SET seq = excluded.seq, chunk_count = excluded.chunk_count,
        term_count = excluded.term_count`,
    values: [documentId, seq],
  });
}

async function moveKept(tx: Sql, rows: readonly Row[]): Promise<void> {
  await tx.query(
    `UPDATE document_chunks AS chunk SET index = moved.index, char_start = moved.char_start, char_end = moved.char_end,
       text = moved.text, heading_path = moved.heading_path
     FROM (SELECT id, index, char_start, char_end, text, ARRAY(SELECT jsonb_array_elements_text(heading_path)) AS heading_path
       FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[], $6::jsonb[])
         AS moved (id, index, char_start, char_end, text, heading_path)) AS moved
     WHERE chunk.id = moved.id AND (chunk.index, chunk.char_start, chunk.char_end, chunk.text, chunk.heading_path)
       IS DISTINCT FROM (moved.index, moved.char_start, moved.char_end, moved.text, moved.heading_path)`,
    columnsOf(rows),
  );
}

async function insertAdded(tx: Sql, documentId: string, rows: readonly Row[]): Promise<void> {
  await tx.query(
    `INSERT INTO document_chunks (id, document_id, index, char_start, char_end, text, heading_path, content_hash, language, term_count)
     SELECT id, $10, index, char_start, char_end, text, ARRAY(SELECT jsonb_array_elements_text(heading_path)), hash, language, terms
     FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[], $6::jsonb[], $7::bytea[], $8::text[], $9::int[])
       AS added (id, index, char_start, char_end, text, heading_path, hash, language, terms)`,
    [
      ...columnsOf(rows),
      rows.map(({ hash }) => hash),
      rows.map(({ language }) => language),
      rows.map((row) => passageLength(indexedTextOf(row))),
      documentId,
    ],
  );
}

const columnsOf = (rows: readonly Row[]): unknown[] => [
  rows.map(({ id }) => id),
  rows.map(({ index }) => index),
  rows.map(({ charStart }) => charStart),
  rows.map(({ charEnd }) => charEnd),
  rows.map(({ text }) => text),
  rows.map(({ headingPath }) => JSON.stringify(headingPath)),
];
