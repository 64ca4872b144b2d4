import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../prisma/migrate.js';
import { startQdrantServer } from '../../shared/local/qdrant/server.js';
import { startPostgres } from '../../shared/local/postgres.js';
import { startRedis } from '../../shared/local/redis.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** May create databases. */
    postgresAdminUrl: string;
    /** A migrated, empty database that nobody is connected to. */
    templateName: string;
    /** Every database of this run has a name that starts with it. */
    databasePrefix: string;
    redisUrl: string;
    qdrant: { url: string; apiKey: string | undefined };
    /** For files of tests that do not look at them. */
    storageFolder: string;
  }
}

/**
 * Starts what the tests share, once per run: Postgres with a migrated template database, Redis, and the stand-in for
 * Qdrant; or uses the ones that DATABASE_URL, REDIS_URL and QDRANT_URL name. Leaves neither process nor database behind.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-test-'));
  const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const teardown = async (): Promise<void> => {
    for (const step of undo.reverse()) await step();
  };
  try {
    let adminUrl = process.env.DATABASE_URL;
    if (!adminUrl) {
      const postgres = await startPostgres({ dataDir: path.join(folder, 'postgres'), durable: false });
      undo.push(async () => {
        await postgres.stop();
        await rm(postgres.folder, { recursive: true, force: true });
      });
      adminUrl = postgres.url;
    }
    let redisUrl = process.env.REDIS_URL;
    if (!redisUrl) {
      const redis = await startRedis({ dir: path.join(folder, 'redis'), durable: false });
      undo.push(() => redis.stop());
      redisUrl = redis.url;
    }

    let qdrant = { url: process.env.QDRANT_URL ?? '', apiKey: process.env.QDRANT_API_KEY };
    if (!qdrant.url) {
      const server = await startQdrantServer({ dir: path.join(folder, 'qdrant') });
      undo.push(() => server.stop());
      qdrant = { url: server.url, apiKey: undefined };
    }

    const databasePrefix = `millrace_test_${process.pid}_`;
    undo.push(() => dropDatabases(adminUrl, databasePrefix));
    const templateName = `${databasePrefix}template`;
    await run(adminUrl, (client) => client.query(`CREATE DATABASE "${templateName}"`));
    await migrate(withDatabase(adminUrl, templateName));

    project.provide('postgresAdminUrl', adminUrl);
    project.provide('templateName', templateName);
    project.provide('databasePrefix', databasePrefix);
    project.provide('redisUrl', redisUrl);
    project.provide('qdrant', qdrant);
    project.provide('storageFolder', path.join(folder, 'storage'));
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}

async function dropDatabases(adminUrl: string, prefix: string): Promise<void> {
  await run(adminUrl, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [prefix],
    );
    for (const { datname } of rows) await client.query(`DROP DATABASE IF EXISTS "${datname}" WITH (FORCE)`);
  });
}

async function run<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
