import { existsSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { lockFolder } from './folder-server.js';
import { keptPort, keptSecret } from './kept.js';
import { initialise, stopOrphan } from './postgres-data.js';
import { findPostgresPlace, type PostgresPlace } from './postgres-place.js';
import { type LineLog, type ServerProcess, startServerProcess } from './server-process.js';

/** A running embedded PostgreSQL. */
export type LocalPostgres = {
  /** Connects to the database `millrace` as its owner, a superuser of this server. */
  url: string;
  port: number;
  /** Of the server that runs now: another one after `restart`. */
  readonly pid: number;
  /** The folder that holds its data; as root it can be another than the one asked for. */
  folder: string;
  /** Fast shutdown: open transactions are rolled back, connections end. */
  stop(): Promise<void>;
  /** Fast shutdown (or none, after `kill`), then the same data on the same port. */
  restart(): Promise<void>;
  /** SIGKILL, as a crash would: the next start recovers from the log. */
  kill(): Promise<void>;
};

type PostgresOptions = {
  dataDir: string;
  log?: LineLog;
  /** False is for tests: faster, and a crash of the machine (not of the process) may lose the data. */
  durable?: boolean;
  maxConnections?: number;
  /** Called when the server ends though nobody stopped it; `restart` brings it back. */
  onCrash?: () => void;
};

/**
 * Starts PostgreSQL 18 on a free loopback port, on the data in `dataDir`, which is made if it is not there.
 * It ends with this process, also when that is killed.
 *
 * @throws {Error} when another process serves the same data, or the server does not start.
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const place = await findPostgresPlace(options.dataDir);
  const { unlock } = await lockFolder(place.base, 'database');
  try {
    return await start(options, place, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function start(
  options: PostgresOptions,
  place: PostgresPlace,
  unlock: () => Promise<void>,
): Promise<LocalPostgres> {
  const data = path.join(place.base, 'data');
  const password = await keptSecret(path.join(place.base, 'password'));
  if (!existsSync(data)) await initialise(place, data, password, options.durable !== false);
  await stopOrphan(data);
  const port = await keptPort(path.join(place.base, 'port'));

  const run = (): Promise<ServerProcess> => runServer(options, place, data, port);
  let server = await run();
  const urlOf = (database: string): string => `postgresql://millrace:${password}@127.0.0.1:${port}/${database}`;
  try {
    await createDatabase(urlOf('postgres'));
  } catch (error) {
    await server.stop('SIGINT');
    throw error;
  }
  return {
    url: urlOf('millrace'),
    port,
    get pid() {
      return server.pid;
    },
    folder: place.base,
    async stop() {
      await server.stop('SIGINT');
      await unlock();
    },
    async restart() {
      await server.stop('SIGINT');
      server = await run();
    },
    async kill() {
      await server.stop('SIGKILL');
    },
  };
}

async function runServer(
  options: PostgresOptions,
  place: PostgresPlace,
  data: string,
  port: number,
): Promise<ServerProcess> {
  const settings: Record<string, string | number> = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: options.maxConnections ?? 200,
    timezone: 'UTC',
    log_timezone: 'UTC',
    jit: 'off',
    ...(options.durable === false ? { fsync: 'off', full_page_writes: 'off' } : {}),
  };
  const command = {
    name: 'PostgreSQL',
    command: path.join(place.bin, 'postgres'),
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    cwd: place.base,
    ready: /database system is ready to accept connections/,
    signalOnOrphan: 'SIGINT' as const,
    log: options.log,
    onCrash: options.onCrash,
    ...place.user,
  };
  // After a kill -9 the backends need a moment to notice; until they are gone their memory blocks a new server.
  for (const deadline = Date.now() + 15_000; ;) {
    try {
      return await startServerProcess(command);
    } catch (error) {
      const blocked = /pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(String(error));
      if (!blocked || Date.now() > deadline) throw error;
    }
  }
}

async function createDatabase(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const found = await client.query(`SELECT 1 FROM pg_database WHERE datname = 'millrace'`);
    if (found.rowCount === 0) await client.query('CREATE DATABASE millrace');
  } finally {
    await client.end();
  }
}
