import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { testDatabase } from '../test/support/stack.js';
import { migrate } from './migrate.js';

const database = await testDatabase();
const client = new pg.Client({ connectionString: database.url });
await client.connect();
let folder = '';

beforeEach(async () => {
  await rm(folder, { recursive: true, force: true });
  folder = await mkdtemp(path.join(tmpdir(), 'millrace-migrations-'));
  await client.query('DROP SCHEMA public CASCADE');
  await client.query('CREATE SCHEMA public');
});
afterAll(async () => {
  await client.end();
  await rm(folder, { recursive: true, force: true });
  await database.drop();
});

async function write(name: string, sql: string): Promise<void> {
  await mkdir(path.join(folder, name), { recursive: true });
  await writeFile(path.join(folder, name, 'migration.sql'), sql);
}

const applied = async (): Promise<string[]> =>
  (await client.query('SELECT migration_name FROM _prisma_migrations ORDER BY started_at')).rows.map(
    (row) => row.migration_name,
  );
const exists = async (table: string): Promise<boolean> =>
  (await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [table])).rows[0].there;

test('applies what is new, in order, and nothing the second time', async () => {
  await write('2_second', 'ALTER TABLE one ADD COLUMN b int');
  await write('1_first', 'CREATE TABLE one (a int)');
  expect(await migrate(database.url, folder)).toEqual(['1_first', '2_second']);
  expect(await migrate(database.url, folder)).toEqual([]);
  await write('3_third', 'ALTER TABLE one ADD COLUMN c int');
  expect(await migrate(database.url, folder)).toEqual(['3_third']);
  expect(await applied()).toEqual(['1_first', '2_second', '3_third']);
});

test('several at once: each migration is applied by one of them', async () => {
  await write('1_slow', 'CREATE TABLE one (a int); SELECT pg_sleep(0.2)');
  await write('2_second', 'CREATE TABLE two (a int)');
  const done = await Promise.all(Array.from({ length: 5 }, () => migrate(database.url, folder)));
  expect(done.flat().toSorted()).toEqual(['1_slow', '2_second']);
  expect(await applied()).toEqual(['1_slow', '2_second']);
});

test('refuses a migration that was changed after it was applied', async () => {
  await write('1_first', 'CREATE TABLE one (a int)');
  await migrate(database.url, folder);
  await write('1_first', 'CREATE TABLE one (a bigint)');
  await write('2_second', 'CREATE TABLE two (a int)');
  await expect(migrate(database.url, folder)).rejects.toThrow('1_first was changed after it was applied');
  expect(await exists('two')).toBe(false);
});

test('a migration that fails leaves nothing; those before it stay, and it can be repaired', async () => {
  await write('1_first', 'CREATE TABLE one (a int)');
  await write('2_broken', 'CREATE TABLE two (a int); INSERT INTO nowhere VALUES (1)');
  await expect(migrate(database.url, folder)).rejects.toThrow(/2_broken failed: relation "nowhere" does not exist/);
  expect(await exists('two')).toBe(false);
  expect(await applied()).toEqual(['1_first']);
  await write('2_broken', 'CREATE TABLE two (a int)');
  expect(await migrate(database.url, folder)).toEqual(['2_broken']);
});

test('keeps its record as Prisma does', async () => {
  await cp('prisma/migrations', folder, { recursive: true });
  const names = await migrate(database.url, folder);
  const { rows } = await client.query('SELECT * FROM _prisma_migrations ORDER BY started_at');
  expect(rows.map((row) => row.migration_name)).toEqual(names);
  for (const row of rows) {
    expect(row).toMatchObject({
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      applied_steps_count: 1,
      rolled_back_at: null,
    });
    expect(row.finished_at).toBeInstanceOf(Date);
  }
});
