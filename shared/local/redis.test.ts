import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findRedisServer } from './redis-binary.js';
import { startRedis } from './redis.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'millrace-redis-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function withClient<T>(url: string, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

test('a durable one keeps its keys over stop and start, and never evicts', async () => {
  const redis = await startRedis({ dir, durable: true });
  await withClient(redis.url, (client) => client.set('kept', '1'));
  await redis.stop();
  const again = await startRedis({ dir, durable: true });
  expect(again.url).toBe(redis.url);
  await withClient(again.url, async (client) => {
    expect(await client.get('kept')).toBe('1');
    expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
  });
  await again.stop();
});

test('one without persistence comes back empty on its port after a kill', async () => {
  const redis = await startRedis({ dir, durable: false });
  await withClient(redis.url, (client) => client.set('gone', '1'));
  await redis.kill();
  await redis.start();
  expect(await withClient(redis.url, (client) => client.get('gone'))).toBeNull();
  await redis.stop();
});

test('says so when the folder is in use', async () => {
  const redis = await startRedis({ dir, durable: false });
  await expect(startRedis({ dir, durable: false })).rejects.toThrow(/in use by another Millrace/);
  await redis.stop();
});

test('without a server, and forbidden to install one, it says what to do in one line', async () => {
  const env = { PATH: dir, MILLRACE_INSTALL: 'no' };
  await expect(findRedisServer(undefined, env)).rejects.toThrow(/^Redis is missing: install .* or set REDIS_URL\.$/);
});

test('where it can be done without a question, it is installed, announced first', async () => {
  const script = async (name: string, text: string): Promise<void> => {
    await writeFile(path.join(dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  };
  await script('sudo', '[ "$1" = -n ] && shift; exec "$@"');
  await script('apk', `/bin/cp "$0" ${dir}/redis-server`);
  await script('true', 'exit 0');
  const said: string[] = [];
  expect(await findRedisServer((line) => said.push(line), { PATH: dir })).toBe(path.join(dir, 'redis-server'));
  expect(said).toEqual([expect.stringMatching(/^Redis is missing; installing it with apk/)]);
});
