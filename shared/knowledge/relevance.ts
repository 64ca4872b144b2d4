import type { Embedder } from '../adapters/embedder/embedder.js';
import type { Sql } from '../database.js';
import type { Logger } from '../logger.js';
import { indexedTextOf } from './documents/indexed-text.js';
import { fromBytes } from './embeddings.js';
import type { KnowledgeHit } from './hit.js';
import { contentHash, indexedText } from './indexed-text.js';
import { sampleTerms, sharesWords, standsOut, type TermSample } from './ranking/relevance.js';
import { createUnrelatedTexts } from './unrelated-texts.js';

/**
 * Of the hits those that are about what is asked, in their order: they have words in common with it, or vectors that
 * know meaning say so.
 *
 * @param dense the vector of the question; without it words alone decide.
 */
export type RelevanceJudge = (
  question: string,
  dense: Float32Array | undefined,
  hits: readonly KnowledgeHit[],
  signal: AbortSignal,
) => Promise<KnowledgeHit[]>;

/** Passages of entries, and of documents, that are looked at to learn which words are common here. */
const sampleSize = 300;

/** How long what was learned is used, in milliseconds. */
const keepMs = 10 * 60_000;

/** @returns a judge that remembers which words are common, and what the embedder makes of unrelated texts. */
export function createRelevanceJudge(sql: Sql, embedder: Embedder, logger: Logger): RelevanceJudge {
  let terms: { sample: TermSample; until: number } | null = null;
  const unrelatedTexts = createUnrelatedTexts(embedder, logger);
  // Vectors of words have words in common with everything: what they are near to, the words have said already.
  const knowsMeaning = embedder.fusion.by !== 'scores';

  async function commonTerms(): Promise<TermSample> {
    if (terms && terms.until > performance.now()) return terms.sample;
    const sample = sampleTerms(await readSample(sql));
    terms = { sample, until: performance.now() + keepMs };
    return sample;
  }

  async function near(dense: Float32Array, hits: readonly KnowledgeHit[], signal: AbortSignal): Promise<Set<string>> {
    const unrelated = await unrelatedTexts(signal);
    if (!unrelated) return new Set();
    const noise = unrelated.map((vector) => dot(dense, vector));
    const hashes = new Map(hits.map((hit) => [contentHash(textOf(hit)).toString('hex'), hit]));
    const { rows } = await sql.query<{ hash: Buffer; vector: Buffer }>({
      name: 'vectors-of-hits',
      text: `SELECT content_hash AS hash, vector FROM embeddings
        WHERE model = $1 AND content_hash = ANY($2::bytea[]) AND octet_length(vector) = $3`,
      values: [embedder.model, [...hashes.keys()].map((hash) => Buffer.from(hash, 'hex')), embedder.size * 4],
    });
    const found = rows.filter(({ vector }) => standsOut(dot(dense, fromBytes(vector)), noise));
    return new Set(found.map(({ hash }) => hash.toString('hex')));
  }

  return async (question, dense, hits, signal) => {
    if (hits.length === 0) return [];
    const sample = await commonTerms();
    const close = knowsMeaning && dense ? await near(dense, hits, signal) : new Set<string>();
    return hits.filter((hit) => {
      const text = textOf(hit);
      return sharesWords(question, [hit.title, text], sample) || close.has(contentHash(text).toString('hex'));
    });
  };
}

/** What was embedded of the passage. */
const textOf = (hit: KnowledgeHit): string => (hit.kind === 'document' ? indexedTextOf(hit) : indexedText(hit));

async function readSample(sql: Sql): Promise<string[]> {
  const samples = await Promise.all([readSampleOf(sql, 'knowledge_chunks'), readSampleOf(sql, 'document_chunks')]);
  return samples.flat();
}

/** Some passages from anywhere in a table, read by pages so that a large one costs no more than a small one. */
async function readSampleOf(sql: Sql, table: 'knowledge_chunks' | 'document_chunks'): Promise<string[]> {
  const { rows: known } = await sql.query<{ rows: number }>(
    `SELECT reltuples AS rows FROM pg_class WHERE oid = '${table}'::regclass`,
  );
  const percent = Math.min(100, (100 * sampleSize) / Math.max(1, known[0]?.rows ?? 0));
  const { rows } = await sql.query<{ text: string }>(
    `SELECT text FROM ${table} TABLESAMPLE SYSTEM ($1) LIMIT ${sampleSize}`,
    [percent],
  );
  return rows.map(({ text }) => text);
}

/** The cosine of vectors of length 1. */
function dot(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) sum += (one[index] as number) * (other[index] as number);
  return sum;
}
