import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { keptSecret } from './environment.js';
import { LockedError, takeLock } from './lock.js';
import { freePort, type LineLog, type ServerProcess, startServerProcess } from './server-process.js';

/** The stand-in for Qdrant, running as a process of its own. */
export type LocalQdrant = {
  url: string;
  apiKey: string;
  port: number;
  stop(): Promise<void>;
  /** Starts it again on the same port, after `stop` or `kill`; does nothing while it runs. */
  start(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
};

type Options = {
  /** Holds its points, its key and a lock. */
  dir: string;
  log?: LineLog;
  /** Called when the server ends though nobody stopped it; `start` brings it back. */
  onCrash?: () => void;
};

/**
 * Starts the stand-in for Qdrant on a loopback port; it ends with this process, also when that is killed.
 *
 * @throws {Error} that says that another process uses `dir`, or that the project is not built.
 */
export async function startQdrant(options: Options): Promise<LocalQdrant> {
  const dir = path.resolve(options.dir);
  await mkdir(dir, { recursive: true });
  let unlock = await lock(dir);
  const apiKey = await keptSecret(path.join(dir, 'api-key'));
  const portFile = path.join(dir, 'port');
  const port = await freePort(Number(await readFile(portFile, 'utf8').catch(() => '0')));
  await writeFile(portFile, String(port));
  const run = (): Promise<ServerProcess> =>
    startServerProcess({
      name: 'The stand-in for Qdrant',
      command: process.execPath,
      args: ['--enable-source-maps', entry(), '--dir', path.join(dir, 'storage'), '--port', String(port)],
      env: { QDRANT_API_KEY: apiKey },
      cwd: dir,
      ready: /^\{"url":/,
      signalOnOrphan: 'SIGTERM',
      log: options.log,
      onCrash: options.onCrash,
    });
  let server = await run().catch(async (error: unknown) => {
    await unlock();
    throw error;
  });

  return {
    url: `http://127.0.0.1:${port}`,
    apiKey,
    port,
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

/** The built file, also when this one runs from its source. */
function entry(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const built = 'qdrant/main.js';
  const found = [path.join(here, built), path.join(here, '../../dist/shared/local', built)].find(existsSync);
  if (!found) throw new Error('The stand-in for Qdrant is not built yet: npm run build');
  return found;
}

async function lock(dir: string): Promise<() => Promise<void>> {
  return takeLock(path.join(dir, 'lock')).catch((error: unknown) => {
    if (!(error instanceof LockedError)) throw error;
    throw new Error(`The Qdrant stand-in in ${dir} is in use by another Millrace (process ${error.pid}).`);
  });
}
