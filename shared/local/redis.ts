import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findRedisServer } from './redis-binary.js';
import { LockedError, takeLock } from './lock.js';
import { freePort, type LineLog, type ServerProcess, startServerProcess } from './server-process.js';

/** A running local Redis (or Valkey). */
export type LocalRedis = {
  url: string;
  port: number;
  /** Of the server that runs now: another one after `start`. */
  readonly pid: number;
  /** Ends it; a durable one finds its data at the next start. */
  stop(): Promise<void>;
  /** Starts it again on the same port, after `stop` or `kill`; does nothing while it runs. */
  start(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
};

type RedisOptions = {
  /** Holds its data, its password and a lock. */
  dir: string;
  /** Keeps every write in an append-only file, synced once a second; false keeps nothing. */
  durable: boolean;
  log?: LineLog;
  /** Told before something is installed; default: the console. */
  say?: LineLog;
  /** Called when the server ends though nobody stopped it; `start` brings it back. */
  onCrash?: () => void;
  port?: number;
  /** Says where programs are and whether one may be installed; that of this process unless given. */
  env?: NodeJS.ProcessEnv;
};

/**
 * Starts a Redis of one's own on a loopback port; it never evicts, and ends with this process, also when that
 * is killed.
 *
 * @throws {Error} that says what to install when there is no server, or that another process uses `dir`.
 */
export async function startRedis(options: RedisOptions): Promise<LocalRedis> {
  const dir = path.resolve(options.dir);
  await mkdir(dir, { recursive: true });
  const binary = await findRedisServer(options.say, options.env);
  const passwordFile = path.join(dir, 'password');
  const password = (await readFile(passwordFile, 'utf8').catch(() => '')) || randomBytes(24).toString('hex');
  await writeFile(passwordFile, password, { mode: 0o600 });

  let unlock = await lock(dir);
  const portFile = path.join(dir, 'port');
  const kept = Number(await readFile(portFile, 'utf8').catch(() => '0'));
  const port = options.port ?? (await freePort(kept));
  await writeFile(portFile, String(port));

  // A file, and not arguments: the password is nobody's business who may list processes.
  const settingsFile = path.join(dir, 'redis.conf');
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir "${dir}"`,
    `requirepass ${password}`,
    'maxmemory-policy noeviction',
    'daemonize no',
    'save ""',
    `appendonly ${options.durable ? 'yes' : 'no'}`,
    'appendfsync everysec',
    // Tests take a database each; the product uses the first.
    `databases ${options.durable ? 16 : 1024}`,
  ];
  await writeFile(settingsFile, `${settings.join('\n')}\n`, { mode: 0o600 });
  const run = (): Promise<ServerProcess> =>
    startServerProcess({
      name: path.basename(binary),
      command: binary,
      args: [settingsFile],
      cwd: dir,
      ready: /Ready to accept connections/,
      signalOnOrphan: 'SIGTERM',
      log: options.log,
      onCrash: options.onCrash,
    });
  let server = await run().catch(async (error: unknown) => {
    await unlock();
    throw error;
  });

  return {
    url: `redis://default:${password}@127.0.0.1:${port}`,
    port,
    get pid() {
      return server.pid;
    },
    async stop() {
      await server.stop('SIGTERM', 10_000);
      await unlock();
    },
    async start() {
      if (server.running()) return;
      await unlock();
      unlock = await lock(dir);
      server = await run();
    },
    async kill() {
      await server.stop('SIGKILL');
    },
  };
}

async function lock(dir: string): Promise<() => Promise<void>> {
  return takeLock(path.join(dir, 'lock')).catch((error: unknown) => {
    if (!(error instanceof LockedError)) throw error;
    throw new Error(`The Redis in ${dir} is in use by another Millrace (process ${error.pid}).`);
  });
}
