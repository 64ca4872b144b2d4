import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bringBack } from './bring-back.js';
import { startQdrant } from './qdrant.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'millrace-bring-back-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('a server that is ended once more while it starts comes back all the same', { timeout: 60_000 }, async () => {
  const qdrant = await startQdrant({ dir });
  let tries = 0;
  await qdrant.kill();
  await bringBack(
    async () => {
      tries += 1;
      await qdrant.start();
      if (tries > 1) return;
      await qdrant.kill();
      throw new Error('It ended at its start.');
    },
    () => true,
  );
  expect(tries).toBe(2);
  expect((await fetch(`${qdrant.url}/readyz`)).status).toBe(200);
  await qdrant.stop();
});

test('one that does not is given up, and none is started that nobody wants any more', async () => {
  let tries = 0;
  const failing = (): Promise<void> => {
    tries += 1;
    return Promise.reject(new Error('The disk is full.'));
  };
  await expect(bringBack(failing, () => true)).rejects.toThrow('The disk is full.');
  expect(tries).toBe(3);
  await bringBack(failing, () => false);
  expect(tries).toBe(3);
});
