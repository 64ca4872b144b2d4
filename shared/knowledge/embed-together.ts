import type { Embedder } from '../adapters/embedder/embedder.js';
import type { Database } from '../database.js';
import { indexedTextOf } from './documents/indexed-text.js';
import { type Lacking, makeVectors } from './embed-chunks.js';
import { keepVectors } from './embeddings.js';
import { indexedText } from './indexed-text.js';

/** Passages whose missing vectors are made together. */
const passagesTogether = 512;

/** What a re-index has to write, and of how many passages it is. */
export type Indexed = { id: string; chunks: number };

/** Consecutive ones of few passages together; what has many of its own is alone. */
export function groupsOf(all: readonly Indexed[]): Indexed[][] {
  const groups: Indexed[][] = [];
  let passages = 0;
  for (const one of all) {
    const last = groups.at(-1);
    if (last && passages + one.chunks <= passagesTogether) {
      last.push(one);
      passages += one.chunks;
    } else {
      groups.push([one]);
      passages = one.chunks;
    }
  }
  return groups;
}

/**
 * Where the passages of versions and of documents are, and how those of which they are kept from being deleted; `$1` is
 * the ids. Those that are being deleted are left out: nothing would remove what is kept of them.
 */
const places = {
  versions: {
    passages: 'knowledge_chunks AS chunk WHERE chunk.version_id = ANY($1::uuid[])',
    hold: `SELECT version.id FROM knowledge_entries AS entry JOIN knowledge_versions AS version ON version.entry_id = entry.id
      WHERE version.id = ANY($1::uuid[]) AND entry.deleted_at IS NULL ORDER BY entry.id FOR KEY SHARE OF entry SKIP LOCKED`,
    textOf: indexedText,
  },
  documents: {
    passages: 'document_chunks AS chunk WHERE chunk.document_id = ANY($1::uuid[]) AND chunk.index IS NOT NULL',
    hold: 'SELECT id FROM documents WHERE id = ANY($1::uuid[]) ORDER BY id FOR KEY SHARE SKIP LOCKED',
    textOf: indexedTextOf,
  },
} as const;

/**
 * Makes the vectors that versions or documents lack, and keeps them. One by one each of them would cost a request,
 * however little is in it.
 *
 * @returns how many were made.
 * @throws EmbeddingError when some could not be made; the others are kept.
 */
export async function embedTogether(
  { database, embedder }: { database: Database; embedder: Embedder },
  what: keyof typeof places,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const { passages, hold, textOf } = places[what];
  const { rows: lacking } = await database.query<Lacking>(
    `SELECT DISTINCT ON (content_hash) content_hash AS hash, text, heading_path AS "headingPath" FROM ${passages}
       AND NOT EXISTS (SELECT 1 FROM embeddings WHERE model = $2 AND content_hash = chunk.content_hash
         AND octet_length(vector) = $3)`,
    [ids, embedder.model, embedder.size * 4],
  );
  if (lacking.length === 0) return 0;
  const { made, failed } = await makeVectors(embedder, lacking, textOf, signal);
  signal.throwIfAborted();
  const kept = await database.transaction(async (tx) => {
    const held = await tx.query<{ id: string }>(hold, [ids]);
    const { rows } = await tx.query<{ hash: Buffer }>(`SELECT DISTINCT content_hash AS hash FROM ${passages}`, [
      held.rows.map(({ id }) => id),
    ]);
    const there = new Set(rows.map(({ hash }) => hash.toString('hex')));
    const wanted = made.filter(({ hash }) => there.has(hash.toString('hex')));
    await keepVectors(tx, embedder.model, wanted);
    return wanted.length;
  });
  if (failed) throw failed.reason;
  return kept;
}
