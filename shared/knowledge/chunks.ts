import type { Sql } from '../database.js';
import type { Chunk } from './chunking/chunk.js';
import { contentHash, indexedText } from './indexed-text.js';
import { passageLength } from './ranking/bm25.js';

/** A passage as it was cut from the text. Its places are in the extracted text, in UTF-16 code units. */
export type NewChunk = Omit<Chunk, 'index' | 'done' | 'checkpoint'>;

/**
 * Stores passages of a version from `from` on, in the caller's transaction; one that is there already stays.
 *
 * @returns how many terms they have together.
 */
export async function storeChunks(
  tx: Sql,
  versionId: string,
  from: number,
  chunks: readonly NewChunk[],
): Promise<number> {
  const rows = chunks.map((chunk, offset) => {
    const indexed = indexedText(chunk);
    return { ...chunk, index: from + offset, hash: contentHash(indexed), terms: passageLength(indexed) };
  });
  await tx.query({
    name: 'store-chunks',
    text: `INSERT INTO knowledge_chunks (version_id, index, text, page, sheet, slide, heading_path, char_start, char_end,
        language, content_hash, term_count)
      SELECT $1, chunk.index, chunk.text, chunk.page, chunk.sheet, chunk.slide,
        ARRAY(SELECT jsonb_array_elements_text(chunk.heading_path)), chunk.char_start, chunk.char_end, chunk.language,
        chunk.content_hash, chunk.term_count
      FROM unnest($2::int[], $3::text[], $4::int[], $5::text[], $6::int[], $7::jsonb[], $8::int[], $9::int[], $10::text[],
        $11::bytea[], $12::int[]) AS chunk (index, text, page, sheet, slide, heading_path, char_start, char_end, language,
        content_hash, term_count)
      ON CONFLICT (version_id, index) DO NOTHING`,
    values: [
      versionId,
      rows.map(({ index }) => index),
      rows.map(({ text }) => text),
      rows.map(({ page }) => page),
      rows.map(({ sheet }) => sheet),
      rows.map(({ slide }) => slide),
      rows.map(({ headingPath }) => JSON.stringify(headingPath)),
      rows.map(({ charStart }) => charStart),
      rows.map(({ charEnd }) => charEnd),
      rows.map(({ language }) => language),
      rows.map(({ hash }) => hash),
      rows.map(({ terms }) => terms),
    ],
  });
  return rows.reduce((sum, { terms }) => sum + terms, 0);
}
