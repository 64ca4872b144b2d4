import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bareBm25 } from './bare-bm25.js';
import { readJudgedCollection } from './judged-collection.js';
import { measureQuality } from './measures.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'millrace-judged-'));
  const corpus = [
    { _id: 'a/1', title: 'Wings', text: 'A wing\u2028in a slipstream.' },
    { _id: 7, title: '', text: 'Heat in a plate.' },
    { _id: 'c', text: '' },
  ];
  const queries = [
    { _id: 'q 1', text: 'wings' },
    { _id: 'unjudged', text: 'nothing' },
  ];
  const lines = (items: object[]): string => `${items.map((item) => JSON.stringify(item)).join('\n')}\n\n`;
  await writeFile(path.join(folder, 'corpus.jsonl'), lines(corpus));
  await writeFile(path.join(folder, 'queries.jsonl'), lines(queries));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const wanted = new Map([['q 1', new Map(Object.entries({ 'a/1': 2, '7': 1 }))]]);

test.each([
  {
    layout: 'a heading',
    file: 'qrels.tsv',
    text: 'query-id\tcorpus-id\tscore\r\nq 1\ta/1\t2\r\nq 1\t7\t1\r\nq 1\tc\t0\r\n',
  },
  { layout: 'no heading', file: 'qrels.tsv', text: 'q 1\ta/1\t2\nq 1\t7\t1\n' },
  { layout: "TREC's columns", file: 'qrels/test.tsv', text: 'q 1\t0\ta/1\t2\nq 1\t0\t7\t1\n' },
])('judgements are read with $layout, from $file', async ({ file, text }) => {
  const judgements = path.join(folder, file);
  await mkdir(path.dirname(judgements), { recursive: true });
  await writeFile(judgements, text);
  const collection = await readJudgedCollection(folder);
  await rm(judgements);
  expect(collection.documents.map(({ id, title, text: body }) => [id, title, body.length])).toEqual([
    ['a/1', 'Wings', 23],
    ['7', '', 16],
    ['c', '', 0],
  ]);
  expect(collection.queries).toEqual([{ id: 'q 1', text: 'wings' }]);
  expect(collection.judgements).toEqual(wanted);
});

test('a collection without judgements is refused', async () => {
  await expect(readJudgedCollection(folder)).rejects.toThrow('none of qrels.tsv');
});

test('a ranking is worth what it has at its beginning', async () => {
  const documents = [
    { id: 'a/1', title: '', text: 'A wing in a slipstream.' },
    { id: '7', title: '', text: 'Heat in a plate.' },
  ];
  const collection = { documents, queries: [{ id: 'q 1', text: 'wings' }], judgements: wanted };
  const best = await measureQuality(collection, () => Promise.resolve(['a/1', '7']));
  expect(best).toEqual({ ndcg10: 1, recall100: 1 });
  const turned = await measureQuality(collection, () => Promise.resolve(['7', 'a/1']));
  expect(turned.ndcg10).toBeCloseTo((1 + 2 / Math.log2(3)) / (2 + 1 / Math.log2(3)));
  const search = bareBm25(collection);
  expect(await measureQuality(collection, (query) => Promise.resolve(search(query)))).toEqual({
    ndcg10: expect.closeTo(2 / (2 + 1 / Math.log2(3))),
    recall100: 0.5,
  });
});
