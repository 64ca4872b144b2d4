import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FolderServer, lockFolder, runInFolder } from './folder-server.js';
import { keptPort, keptSecret } from './kept.js';
import { type LineLog, type ServerProcess, startServerProcess } from './server-process.js';

/** The stand-in for Qdrant, running as a process of its own. */
export type LocalQdrant = FolderServer & { url: string; apiKey: string; port: number };

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
  const folder = await lockFolder(dir, 'Qdrant stand-in');
  const apiKey = await keptSecret(path.join(dir, 'api-key'));
  const port = await keptPort(path.join(dir, 'port'));
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
  const server = await runInFolder(folder, run);
  return Object.assign(server, { url: `http://127.0.0.1:${port}`, apiKey, port });
}

/** The built file, also when this one runs from its source. */
function entry(): string {
  const here = path.dirname(fileURLToPath(import.meta.url));
  const built = 'qdrant/main.js';
  const found = [path.join(here, built), path.join(here, '../../dist/shared/local', built)].find(existsSync);
  if (!found) throw new Error('The stand-in for Qdrant is not built yet: npm run build');
  return found;
}
