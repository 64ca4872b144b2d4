import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { expect, inject } from 'vitest';
import { type LocalPostgres, startPostgres } from '../../shared/local/postgres.js';
import { type LocalRedis, startRedis } from '../../shared/local/redis.js';
import { migrate } from '../../prisma/migrate.js';

/** Undoes what made it; also usable as a hook: `afterAll(database.drop)`. */
type Undo = () => Promise<void>;

/**
 * A fresh, migrated database of one's own, named after the test file. `drop` ends its connections; what is not
 * dropped goes at the end of the run.
 */
export async function testDatabase(): Promise<{ url: string; name: string; drop: Undo }> {
  const adminUrl = inject('postgresAdminUrl');
  const file = path.basename(expect.getState().testPath ?? 'test').replace(/\.test\.ts$/, '');
  const readable = file.replace(/\W+/g, '_').slice(0, 24).toLowerCase();
  const name = `${inject('databasePrefix')}${readable}_${randomBytes(4).toString('hex')}`;
  await admin(adminUrl, `CREATE DATABASE "${name}" TEMPLATE "${inject('templateName')}"`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return { url: url.href, name, drop: () => admin(adminUrl, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`) };
}

/**
 * A URL of the shared Redis with an empty database number of one's own. Keys are apart, but pub/sub channels are
 * one for all numbers, and so are FLUSHALL and a stop: a test that cares takes {@link ownRedis}.
 */
export async function testRedis(): Promise<{ url: string; number: number }> {
  const shared = new Redis(inject('redisUrl'));
  try {
    const taken = await shared.incr('millrace:test:databases');
    const databases = Number(((await shared.config('GET', 'databases')) as string[])[1]);
    const number = 1 + (taken % (databases - 1));
    await shared.select(number);
    await shared.flushdb();
    const url = new URL(inject('redisUrl'));
    url.pathname = `/${number}`;
    return { url: url.href, number };
  } finally {
    shared.disconnect();
  }
}

/** A Redis of one's own, for tests that stop, kill or flush it. `remove` stops it and deletes its files. */
export async function ownRedis(options: { durable?: boolean } = {}): Promise<LocalRedis & { remove: Undo }> {
  const dir = await mkdtemp(path.join(tmpdir(), 'millrace-redis-'));
  const redis = await startRedis({ dir, durable: options.durable ?? false });
  const remove = async (): Promise<void> => {
    await redis.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return Object.assign(redis, { remove });
}

/** A migrated Postgres of one's own, for tests that stop or kill it. `remove` stops it and deletes its files. */
export async function ownPostgres(): Promise<LocalPostgres & { remove: Undo }> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'millrace-postgres-'));
  const postgres = await startPostgres({ dataDir, durable: false });
  await migrate(postgres.url);
  const remove = async (): Promise<void> => {
    await postgres.stop();
    for (const folder of [postgres.folder, dataDir]) await rm(folder, { recursive: true, force: true });
  };
  return Object.assign(postgres, { remove });
}

async function admin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
