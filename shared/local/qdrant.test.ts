import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { all, is } from '../adapters/vector-store/filter.js';
import { createQdrantStore } from '../adapters/vector-store/qdrant.js';
import type { Point } from '../adapters/vector-store/vector-store.js';
import { startQdrant } from './qdrant.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'millrace-qdrant-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

let points = 0;
const point = (group: string): Point => ({
  id: randomUUID(),
  // Never as close to another that a 32-bit float cannot tell them apart.
  dense: Float32Array.of(Math.cos((points += 1)), Math.sin(points), 0),
  sparse: { indices: [1, 2], values: [1, Math.random()] },
  payload: { group, approved: false },
});

test('what was acknowledged is there after a kill, and the rest of it is as it was', { timeout: 60_000 }, async () => {
  const qdrant = await startQdrant({ dir });
  const plan = { alias: 'kept', model: 'a', size: 3, indexes: { group: 'keyword' } as const };
  const store = createQdrantStore(qdrant, plan);
  const { collection } = await store.ensure();
  const written: Point[] = [];
  let killing: Promise<void> | undefined;
  const writing = (async () => {
    for (let n = 0; ; n += 1) {
      const batch = [point('a'), point('b')];
      await store.upsert(batch);
      written.push(...batch);
      if (n === 20) killing = qdrant.kill();
    }
  })();
  await expect(writing).rejects.toMatchObject({ code: 'vector_store_unavailable' });
  await killing;
  await qdrant.start();
  // The batch that was on its way may have been stored.
  expect([written.length, written.length + 1, written.length + 2]).toContain(await store.count());
  await store.setPayload({ approved: true }, all(is('group', 'a')));
  await store.deleteWhere(all(is('group', 'b')));
  await qdrant.kill();
  await qdrant.start();
  expect(await store.check()).toEqual({ state: 'ready', collection });
  const count = await store.count();
  expect(await store.count(all(is('approved', true)))).toBe(count);
  expect(count).toBeGreaterThanOrEqual(written.length / 2);
  const [first] = written;
  const query = { dense: first?.dense, fusion: { by: 'ranks', k: 60 }, filter: {}, limit: 1 } as const;
  expect(await store.search(query)).toMatchObject([{ id: first?.id, payload: { group: 'a', approved: true } }]);
  await qdrant.stop();

  const again = await startQdrant({ dir });
  expect(again.url).toBe(qdrant.url);
  expect(await store.count()).toBe(count);
  await expect(startQdrant({ dir })).rejects.toThrow(/in use by another Millrace/);
  const stranger = createQdrantStore({ url: again.url, apiKey: undefined }, plan);
  await expect(stranger.count()).rejects.toMatchObject({ code: 'vector_store_unauthorized' });
  await again.stop();
});
