import path from 'node:path';
import { LockedError, takeLock } from './lock.js';
import type { ServerProcess } from './server-process.js';

/** A server that has a folder for itself, and is found at the same place whenever it runs. */
export type FolderServer = {
  /** Of the process that runs now: another one after `start`. */
  readonly pid: number;
  /** Ends it and gives the folder back. */
  stop(): Promise<void>;
  /** Starts it again, after `stop` or `kill`; does nothing while it runs. */
  start(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
};

/** A folder that nobody else uses until it is given back. */
export type LockedFolder = { dir: string; name: string; unlock: () => Promise<void> };

/** In milliseconds: how long a server may take to end in order. */
const stopLimitMs = 10_000;

/**
 * Takes the folder of a server.
 *
 * @param name what the folder holds, for the message.
 * @throws {Error} when another Millrace has it.
 */
export async function lockFolder(dir: string, name: string): Promise<LockedFolder> {
  const unlock = await takeLock(path.join(dir, 'lock')).catch((error: unknown) => {
    if (!(error instanceof LockedError)) throw error;
    throw new Error(`The ${name} in ${dir} is in use by another Millrace (process ${error.pid}).`);
  });
  return { dir, name, unlock };
}

/**
 * Runs a server on a folder that was taken; one that does not start gives it back.
 *
 * @param run starts it, each time on the same port.
 */
export async function runInFolder(folder: LockedFolder, run: () => Promise<ServerProcess>): Promise<FolderServer> {
  let { unlock } = folder;
  let server = await run().catch(async (error: unknown) => {
    await unlock();
    throw error;
  });
  return {
    get pid() {
      return server.pid;
    },
    async stop() {
      await server.stop('SIGTERM', stopLimitMs);
      await unlock();
    },
    async start() {
      if (server.running()) return;
      await unlock();
      ({ unlock } = await lockFolder(folder.dir, folder.name));
      server = await run();
    },
    async kill() {
      await server.stop('SIGKILL');
    },
  };
}
