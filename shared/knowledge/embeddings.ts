import type { Sql } from '../database.js';
import type { ChunkRange } from './pipeline.js';

/** Of the chunks those texts, each once, that have no vector of this model and size yet. */
export async function findWithoutVector(
  sql: Sql,
  range: ChunkRange,
  { model, size }: { model: string; size: number },
): Promise<{ hash: Buffer; text: string; headingPath: string[] }[]> {
  const { rows } = await sql.query<{ hash: Buffer; text: string; headingPath: string[] }>({
    name: 'chunks-without-vector',
    text: `SELECT DISTINCT ON (content_hash) content_hash AS hash, text, heading_path AS "headingPath"
      FROM knowledge_chunks AS chunk
      WHERE version_id = $1 AND index >= $2 AND index < $3 AND NOT EXISTS (
        SELECT 1 FROM embeddings WHERE model = $4 AND content_hash = chunk.content_hash AND octet_length(vector) = $5)`,
    values: [range.versionId, range.from, range.to, model, size * 4],
  });
  return rows;
}

/**
 * Keeps vectors of one size; one of another size under the same name is replaced.
 *
 * They go over as one value, which the driver sends as it is: as an array of bytes they would be written in hexadecimal
 * and read again, at twice the time for both sides.
 */
export async function keepVectors(
  tx: Sql,
  model: string,
  vectors: readonly { hash: Buffer; vector: Float32Array }[],
): Promise<void> {
  // In one order for all: two that keep the same vectors at once wait for each other instead of for ever.
  const sorted = vectors.toSorted((one, other) => one.hash.compare(other.hash));
  const [first] = sorted;
  if (!first) return;
  const hashes = sorted.map(({ hash }) => hash);
  await tx.query({
    name: 'keep-vectors',
    text: `INSERT INTO embeddings (model, content_hash, vector)
      SELECT $1, substring($2::bytea, n * $4::int + 1, $4), substring($3::bytea, n * $5::int + 1, $5)
      FROM generate_series(0, $6::int - 1) AS n
      ON CONFLICT (model, content_hash) DO UPDATE SET vector = excluded.vector
      WHERE octet_length(embeddings.vector) <> octet_length(excluded.vector)`,
    values: [
      model,
      Buffer.concat(hashes),
      Buffer.concat(sorted.map(({ vector }) => toBytes(vector))),
      first.hash.byteLength,
      first.vector.byteLength,
      sorted.length,
    ],
  });
}

/** An SQL condition: no passage has the text of the vector in `embeddings`. */
export const unusedVectorSql = `NOT EXISTS (SELECT 1 FROM knowledge_chunks WHERE knowledge_chunks.content_hash = embeddings.content_hash)
  AND NOT EXISTS (SELECT 1 FROM document_chunks WHERE document_chunks.content_hash = embeddings.content_hash)`;

/** Deletes those of the vectors whose text no passage has any more. */
export async function forgetVectors(tx: Sql, hashes: readonly Buffer[]): Promise<void> {
  // Locked first, in one order, and looked at in a second statement: its snapshot sees the passages that somebody else
  // has deleted meanwhile. Of two that delete the same text at once each would leave the vector to the other.
  await tx.query(
    'SELECT 1 FROM embeddings WHERE content_hash = ANY($1::bytea[]) ORDER BY content_hash, model FOR UPDATE',
    [hashes],
  );
  await tx.query(`DELETE FROM embeddings WHERE content_hash = ANY($1::bytea[]) AND ${unusedVectorSql}`, [hashes]);
}

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The numbers as float32 in little-endian order, whatever the machine is. */
function toBytes(vector: Float32Array): Buffer {
  const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  return littleEndian ? bytes : Buffer.from(bytes).swap32();
}

export function fromBytes(bytes: Buffer): Float32Array {
  // A copy: bytes of the driver need not begin where a number may.
  const copy = new Uint8Array(bytes);
  if (!littleEndian) Buffer.from(copy.buffer).swap32();
  return new Float32Array(copy.buffer);
}
