import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createFeatureHashingEmbedder } from '../../shared/adapters/embedder/feature-hashing.js';
import { everything } from '../../shared/adapters/vector-store/filter.js';
import { createQdrantStore } from '../../shared/adapters/vector-store/qdrant.js';
import { passageLength, passageVector, queryVector } from '../../shared/knowledge/ranking/bm25.js';
import { pointId } from '../../shared/knowledge/ranking/point.js';
import { readJudgedCollection } from '../bench/retrieval/judged-collection.js';
import { measureQuality, type Quality } from '../bench/retrieval/measures.js';
import { testQdrant } from '../support/qdrant.js';

/** Public collections with judgements, beside the project where they are present. */
const data = path.resolve(import.meta.dirname, '../../../shared/data/ir');
const signal = new AbortController().signal;

async function qualityOf(name: string): Promise<Record<'dense' | 'sparse' | 'fused', Quality>> {
  const collection = await readJudgedCollection(path.join(data, name));
  const { drop, ...qdrant } = await testQdrant();
  const embedder = createFeatureHashingEmbedder(1_536);
  const store = createQdrantStore(qdrant, {
    alias: qdrant.collection,
    model: embedder.model,
    size: embedder.size,
    indexes: {},
  });
  await store.ensure();
  const texts = collection.documents.map(({ text }) => text);
  const averageLength = texts.reduce((sum, text) => sum + passageLength(text), 0) / texts.length;
  const vectors = await embedder.embed(texts, 'passage', signal);
  await store.upsert(
    collection.documents.map(({ id, title, text }, index) => ({
      id: pointId(id, 0),
      dense: vectors[index] ?? new Float32Array(),
      sparse: passageVector(text, averageLength, title),
      payload: { document: id },
    })),
  );
  const measure = (halves: { dense: boolean; sparse: boolean }): Promise<Quality> =>
    measureQuality(collection, async (query) => {
      const [dense] = await embedder.embed([query], 'query', signal);
      const hits = await store.search({
        dense: halves.dense ? dense : undefined,
        sparse: halves.sparse ? queryVector(query) : undefined,
        fusion: embedder.fusion,
        filter: everything,
        limit: 100,
      });
      return hits.map(({ payload }) => String(payload.document));
    });
  const quality = {
    dense: await measure({ dense: true, sparse: false }),
    sparse: await measure({ dense: false, sparse: true }),
    fused: await measure({ dense: true, sparse: true }),
  };
  await drop();
  return quality;
}

describe.runIf(existsSync(data))('what a newcomer gets, without an embedding model', () => {
  test.each([
    { name: 'cranfield', bm25: 0.51 },
    { name: 'med', bm25: 0.68 },
  ])(
    'is at least as good as BM25 on $name, and better than both halves',
    { timeout: 120_000 },
    async ({ name, bm25 }) => {
      const { dense, sparse, fused } = await qualityOf(name);
      expect(fused.ndcg10).toBeGreaterThanOrEqual(bm25);
      expect(fused.ndcg10).toBeGreaterThanOrEqual(Math.max(dense.ndcg10, sparse.ndcg10));
      expect(fused.recall100).toBeGreaterThan(0.99 * Math.max(dense.recall100, sparse.recall100));
    },
  );
});
