import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { ownPostgres, ownRedis, testDatabase, testRedis } from './stack.js';

const database = await testDatabase();
afterAll(database.drop);

async function tables(url: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(`SELECT 1 FROM pg_tables WHERE schemaname = 'public'`);
  await client.end();
  return rows;
}

test('a test database is migrated and named after its file', async () => {
  expect(database.name).toMatch(/_stack_/);
  expect((await tables(database.url)).length).toBeGreaterThan(5);
});

test('test Redises do not see each other’s keys', async () => {
  const [one, two] = await Promise.all([testRedis(), testRedis()]);
  const clients = [new Redis(one.url), new Redis(two.url)];
  await clients[0]?.set('key', 'one');
  expect(await clients[1]?.get('key')).toBeNull();
  for (const client of clients) client.disconnect();
});

test('own servers start, and leave nothing', async () => {
  const postgres = await ownPostgres();
  expect((await tables(postgres.url)).length).toBeGreaterThan(5);
  await postgres.remove();
  const redis = await ownRedis();
  await redis.remove();
});
