import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type FolderServer, lockFolder, runInFolder } from './folder-server.js';
import { keptPort, keptSecret } from './kept.js';
import { findRedisServer } from './redis-binary.js';
import { type LineLog, type ServerProcess, startServerProcess } from './server-process.js';

/** A running local Redis (or Valkey). A durable one finds its data when it is started again. */
export type LocalRedis = FolderServer & { url: string; port: number };

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
  const password = await keptSecret(path.join(dir, 'password'));
  const folder = await lockFolder(dir, 'Redis');
  const port = await keptPort(path.join(dir, 'port'));

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
  const server = await runInFolder(folder, run);
  return Object.assign(server, { url: `redis://default:${password}@127.0.0.1:${port}`, port });
}
