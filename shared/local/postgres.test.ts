import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { startPostgres } from './postgres.js';

const dataDir = await mkdtemp(path.join(tmpdir(), 'millrace-postgres-'));
const folders = new Set([dataDir]);
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function start() {
  const postgres = await startPostgres({ dataDir, durable: false });
  folders.add(postgres.folder);
  return postgres;
}

test('keeps its data over stop and start, restart and kill, on one port', async () => {
  const first = await start();
  await query(first.url, 'CREATE TABLE kept (n int)');
  await query(first.url, 'INSERT INTO kept VALUES (1)');
  await first.stop();

  const second = await start();
  expect(second.port).toBe(first.port);
  await second.restart();
  await query(second.url, 'INSERT INTO kept VALUES (2)');
  await second.kill();
  await expect(query(second.url, 'SELECT 1')).rejects.toThrow();
  await second.restart();
  expect(await query(second.url, 'SELECT n FROM kept ORDER BY n')).toEqual([{ n: 1 }, { n: 2 }]);
  await second.stop();
});

test('is UTF8, version 18, with a password and 200 connections', async () => {
  const postgres = await start();
  const [row] = await query(
    postgres.url,
    `SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('server_encoding') AS encoding,
            current_setting('max_connections') AS connections, lower('ÀÖ') AS lower`,
  );
  expect(row).toEqual({ version: 18, encoding: 'UTF8', connections: '200', lower: 'àö' });
  const wrong = new URL(postgres.url);
  wrong.password = 'wrong';
  await expect(query(wrong.href, 'SELECT 1')).rejects.toThrow(/password/);
  await postgres.stop();
});

test('says so when the data is in use', async () => {
  const postgres = await start();
  await expect(startPostgres({ dataDir })).rejects.toThrow(/in use by another Millrace \(process \d+\)/);
  await postgres.stop();
});
