import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Embedder } from '../../shared/adapters/embedder/embedder.js';
import { keepVectors } from '../../shared/knowledge/embeddings.js';
import type { KnowledgeHit } from '../../shared/knowledge/hit.js';
import { contentHash } from '../../shared/knowledge/indexed-text.js';
import { createRelevanceJudge } from '../../shared/knowledge/relevance.js';
import { startTestApp, type TestApp } from '../support/app.js';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const { signal } = new AbortController();

/** Vectors of length 1 in which all texts are much alike, as many models make them; the angle is what they mean. */
const at = (degrees: number): Float32Array =>
  Float32Array.from([0.9, Math.sqrt(0.19) * Math.cos(degrees / 57.3), Math.sqrt(0.19) * Math.sin(degrees / 57.3)]);

const hitOf = (text: string): KnowledgeHit => ({
  kind: 'entry',
  documentId: null,
  seq: null,
  text,
  score: 1,
  entryId: '',
  title: '',
  tags: [],
  versionId: '',
  version: 1,
  chunk: 0,
  fileName: null,
  page: null,
  sheet: null,
  slide: null,
  headingPath: [],
  charStart: 0,
  charEnd: text.length,
  language: null,
});

it('takes what means the same in other words, and leaves what is only as near as any text', async () => {
  let calls = 0;
  const embedder: Embedder = {
    model: 'all-alike',
    size: 3,
    fusion: { by: 'ranks', k: 60 },
    async embed(texts) {
      calls += 1;
      return texts.map((_, index) => at(80 + index * 5));
    },
  };
  const [same, other] = [hitOf('Holidays are granted upon request.'), hitOf('Printers stand in the corridor.')];
  await keepVectors(app.ctx.database, embedder.model, [
    { hash: contentHash(same.text), vector: at(12) },
    { hash: contentHash(other.text), vector: at(110) },
  ]);
  const judge = createRelevanceJudge(app.ctx.database, embedder, app.ctx.logger);
  const question = 'How do I get some vacation?';
  expect(await judge(question, at(10), [same, other], signal)).toEqual([same]);
  // By words alone there is nothing.
  expect(await judge(question, undefined, [same, other], signal)).toEqual([]);
  // Words in common need no vector.
  expect(await judge('corridor printers', undefined, [same, other], signal)).toEqual([other]);
  await judge(question, at(10), [same], signal);
  expect(calls).toBe(1);
});
