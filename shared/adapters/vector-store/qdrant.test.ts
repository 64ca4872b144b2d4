import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testQdrant, type TestQdrant } from '../../../test/support/qdrant.js';
import { checkCollection } from './collections.js';
import { all, everything, hasId, is, isAnyOf, not, nothing, some } from './filter.js';
import { createQdrantClient } from './qdrant-client.js';
import { createQdrantStore } from './qdrant.js';
import type { Payload, PayloadIndexes, Point, VectorStore } from './vector-store.js';

const indexes: PayloadIndexes = { owner: 'uuid', tag: 'keyword', approved: 'bool' };
let qdrant: TestQdrant;
let store: VectorStore;
const storeFor = (model = 'a model', size = 4): VectorStore =>
  createQdrantStore(qdrant, { alias: qdrant.collection, model, size, indexes });

beforeEach(async () => {
  qdrant = await testQdrant();
  store = storeFor();
});
afterEach(() => qdrant.drop());

const ids = Array.from({ length: 6 }, () => randomUUID()).sort();
const id = (n: number): string => ids[n] ?? '';

function point(n: number, dense: number[], terms: Record<number, number>, payload: Payload = {}): Point {
  return {
    id: id(n),
    dense: Float32Array.from(dense),
    sparse: { indices: Object.keys(terms).map(Number), values: Object.values(terms) },
    payload: { n, ...payload },
  };
}

async function found(filter: Parameters<VectorStore['count']>[0] = everything): Promise<number[]> {
  const numbers: number[] = [];
  for await (const page of store.scroll(filter, { fields: ['n'], pageSize: 2 })) {
    numbers.push(...page.map(({ payload }) => Number(payload.n)));
  }
  return numbers;
}

describe('the collection', () => {
  test('is made when it is missing, by several processes at once, and found again', async () => {
    expect(await store.check()).toEqual({ state: 'missing' });
    const made = await Promise.all([store.ensure(), storeFor().ensure(), storeFor().ensure()]);
    expect(new Set(made.map(({ collection }) => collection)).size).toBe(1);
    expect(await store.check()).toEqual({ state: 'ready', collection: made[0]?.collection });
    expect(await store.ensure()).toEqual({ collection: made[0]?.collection, created: false });
    expect(await store.collections()).toEqual([made[0]?.collection]);
  });

  test('is found by who looks for it while another process makes it', async () => {
    const client = createQdrantClient(qdrant);
    const exists = client.collectionExists.bind(client);
    client.collectionExists = async (name) => {
      await store.ensure();
      return exists(name);
    };
    const plan = { alias: qdrant.collection, model: 'a model', size: 4, indexes };
    expect(await checkCollection(client, plan)).toMatchObject({ state: 'ready' });
  });

  test.each([
    ['another model', 4],
    ['a model', 8],
  ])('for %s with %d numbers, it says how to re-index', async (model, size) => {
    await store.ensure();
    const other = storeFor(model, size);
    expect(await other.check()).toMatchObject({ state: 'mismatch', message: expect.stringMatching(/npm run reindex/) });
    await expect(other.ensure()).rejects.toMatchObject({ code: 'vector_store_mismatch', transient: false });
  });

  test('is replaced in one step', async () => {
    const { collection: old } = await store.ensure();
    await store.upsert([point(0, [1, 0, 0, 0], { 7: 1 })]);
    const next = await store.createCollection();
    await store.within(next).upsert([point(1, [1, 0, 0, 0], { 7: 1 }), point(2, [0, 1, 0, 0], {})]);
    expect(await found()).toEqual([0]);
    expect(await store.switchTo(next)).toBe(old);
    expect(await found()).toEqual([1, 2]);
    expect(await store.check()).toEqual({ state: 'ready', collection: next });
    await store.deleteCollection(old);
    expect(await store.collections()).toEqual([next]);
    expect(await store.switchTo(next)).toBeNull();
  });

  test('of another model takes its place, and processes of the earlier one keep theirs', async () => {
    const { collection: old } = await store.ensure();
    await store.upsert([point(0, [1, 0, 0, 0], {})]);
    const other = storeFor('another model', 2);
    const next = await other.createCollection();
    expect([store.fits(old), store.fits(next), other.fits(old), other.fits(next)]).toEqual([true, false, false, true]);
    expect(await other.switchTo(next)).toBe(old);
    expect([await store.inService(), await other.inService()]).toEqual([next, next]);
    expect(await store.check()).toMatchObject({ state: 'mismatch', collection: next });
    await store.upsert([point(1, [0, 1, 0, 0], {})]);
    await other.upsert([point(2, [1, 0], {})]);
    expect([await store.count(), await other.count()]).toEqual([2, 1]);
    expect(await other.ensure()).toEqual({ collection: next, created: false });
  });

  test('that is gone is a transient failure', async () => {
    const { collection } = await store.ensure();
    await store.deleteCollection(collection);
    await expect(store.upsert([point(0, [1, 0, 0, 0], {})])).rejects.toMatchObject({
      code: 'vector_store_missing',
      transient: true,
    });
    expect((await store.ensure()).created).toBe(true);
  });
});

describe('points', () => {
  const owner = randomUUID();
  beforeEach(async () => {
    await store.ensure();
    await store.upsert([
      point(0, [1, 0, 0, 0], { 1: 1, 2: 1 }, { owner, tag: ['a', 'b'], approved: true }),
      point(1, [0.9, 0.1, 0, 0], { 1: 2 }, { owner, tag: ['b'], approved: false }),
      point(2, [0, 1, 0, 0], { 1: 1, 3: 1 }, { owner: randomUUID(), tag: [], approved: true }),
      point(3, [0, 0, 1, 0], {}, { owner: randomUUID(), tag: ['c'], approved: false }),
    ]);
  });

  test.each([
    ['everything', everything, [0, 1, 2, 3]],
    ['nothing', nothing, []],
    ['a value', is('owner', owner), [0, 1]],
    ['a flag', is('approved', true), [0, 2]],
    ['one of a list', is('tag', 'b'), [0, 1]],
    ['any of', isAnyOf('tag', ['a', 'c']), [0, 3]],
    ['any of none', isAnyOf('tag', []), []],
    ['some of none', some(), []],
    ['all', all(is('owner', owner), is('approved', true)), [0]],
    ['some, nested', some(all(is('owner', owner), is('approved', false)), is('tag', 'c')), [1, 3]],
    ['not', not(is('tag', 'b')), [2, 3]],
    ['a field without an index', is('n', 2), [2]],
    ['ids', hasId([id(1), id(3), randomUUID()]), [1, 3]],
  ])('are found by %s', async (_name, filter, numbers) => {
    expect(await found(all(filter))).toEqual(numbers);
    expect(await store.count(all(filter))).toBe(numbers.length);
  });

  test('are overwritten, changed and deleted', async () => {
    await store.upsert([point(0, [0, 0, 0, 1], { 9: 1 }, { approved: false })]);
    expect(await found(all(is('owner', owner)))).toEqual([1]);
    await store.setPayload({ approved: true }, all(is('owner', owner)));
    expect(await found(all(is('approved', true)))).toEqual([1, 2]);
    expect(await found(all(is('owner', owner), is('tag', 'b')))).toEqual([1]);
    await store.deleteWhere(all(is('approved', true)));
    await store.deleteIds([id(3), randomUUID()]);
    expect(await found()).toEqual([0]);
    const hits = await store.search({
      sparse: { indices: [1, 9], values: [1, 1] },
      fusion: { by: 'distributions', dense: 0.5 },
      filter: everything,
      limit: 9,
    });
    expect(hits.map(({ id }) => id)).toEqual([id(0)]);
  });

  const search = async (query: Partial<Parameters<VectorStore['search']>[0]>) =>
    (await store.search({ fusion: { by: 'ranks', k: 60 }, filter: everything, limit: 10, ...query })).map(
      ({ payload, score }) => [payload.n, score] as const,
    );
  const dense = new Float32Array([1, 0, 0, 0]);
  const idf = (having: number): number => Math.log((3 - having + 0.5) / (having + 0.5) + 1);

  test('are ranked by the cosine', async () => {
    const hits = await search({ dense, limit: 2 });
    expect(hits).toEqual([
      [0, expect.closeTo(1, 5)],
      [1, expect.closeTo(0.9 / Math.hypot(0.9, 0.1), 5)],
    ]);
  });

  test('are ranked by their terms, rare ones more', async () => {
    const hits = await search({ sparse: { indices: [1, 3], values: [1, 1] } });
    expect(hits).toEqual([
      [2, expect.closeTo(idf(3) + idf(1), 4)],
      [1, expect.closeTo(2 * idf(3), 4)],
      [0, expect.closeTo(idf(3), 4)],
    ]);
  });

  test('are ranked by both, as the embedder wants it', async () => {
    const sparse = { indices: [3], values: [1] };
    const onlyTwo = { filter: all(hasId([id(1), id(2)])) };
    const cosine = 0.9 / Math.hypot(0.9, 0.1);
    expect(await search({ dense, sparse, ...onlyTwo, fusion: { by: 'scores', dense: 10, sparse: 2 } })).toEqual([
      [1, expect.closeTo(10 * cosine, 4)],
      [2, expect.closeTo(2 * idf(1), 4)],
    ]);
    expect(await search({ dense, sparse, ...onlyTwo, fusion: { by: 'ranks', k: 60 } })).toEqual([
      [2, expect.closeTo(1 / 61 + 1 / 60, 5)],
      [1, expect.closeTo(1 / 60, 5)],
    ]);
    // One standard deviation is 1/√2 of the difference of two: ±1/√2 of 6. What a half has not found counts 0.25.
    const [better, worse] = [0.5 + Math.SQRT1_2 / 6, 0.5 - Math.SQRT1_2 / 6];
    expect(await search({ dense, sparse, ...onlyTwo, fusion: { by: 'distributions', dense: 0.5 } })).toEqual([
      [2, expect.closeTo(0.5 * worse + 0.5 * 0.5, 4)],
      [1, expect.closeTo(0.5 * better + 0.5 * 0.25, 4)],
    ]);
    expect(await search({ dense, sparse, ...onlyTwo, fusion: { by: 'distributions', dense: 0.7 } })).toEqual([
      [1, expect.closeTo(0.7 * better + 0.3 * 0.25, 4)],
      [2, expect.closeTo(0.7 * worse + 0.3 * 0.5, 4)],
    ]);
  });

  test('carry the fields that were asked for, and are filtered in both halves', async () => {
    const hits = await store.search({
      dense,
      sparse: { indices: [1], values: [1] },
      fusion: { by: 'distributions', dense: 0.5 },
      filter: all(is('approved', true)),
      limit: 10,
      fields: ['n'],
    });
    expect(hits.map(({ payload }) => payload).sort((a, b) => Number(a.n) - Number(b.n))).toEqual([{ n: 0 }, { n: 2 }]);
  });

  test('of more than one request are all written', async () => {
    const many = Array.from({ length: 1_203 }, (_, n) => ({ ...point(0, [n, 1, 0, 0], { [n]: 1 }), id: randomUUID() }));
    await store.upsert(many);
    expect(await store.count()).toBe(1_207);
    await store.deleteIds(many.map((one) => one.id));
    expect(await found()).toEqual([0, 1, 2, 3]);
  });
});

describe('failures', () => {
  test('a store that is away is a transient failure', async () => {
    const away = createQdrantStore(
      { url: 'http://127.0.0.1:9', apiKey: undefined },
      { alias: 'x', model: 'a', size: 4, indexes: {} },
    );
    await expect(away.count()).rejects.toMatchObject({ code: 'vector_store_unavailable', transient: true });
  });

  test('a request that makes no sense is a permanent one', async () => {
    await store.ensure();
    await expect(store.upsert([point(0, [1, 0], {})])).rejects.toMatchObject({
      code: 'vector_store_refused',
      transient: false,
    });
  });
});
