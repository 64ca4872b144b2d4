import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { processIdentity } from './process-table.js';

/** Thrown when a living process holds the lock. */
export class LockedError extends Error {
  constructor(
    readonly file: string,
    readonly pid: number,
  ) {
    super(`Process ${pid} uses it already (lock file ${file}).`);
    this.name = 'LockedError';
  }
}

type Owner = { pid: number; identity: string };

/**
 * Takes a lock that a killed process cannot leave behind for good: the file names its owner, and the lock of a
 * process that is gone is taken over.
 *
 * @returns what gives the lock back; safe to call twice.
 * @throws {LockedError} when a living process, this one included, holds it.
 */
export async function takeLock(file: string): Promise<() => Promise<void>> {
  await mkdir(path.dirname(file), { recursive: true });
  const own = JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) } satisfies Owner);
  const draft = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFile(draft, own);
  try {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      try {
        // A link appears with its content at once, so nobody ever reads a half-written lock.
        await link(draft, file);
        return async () => {
          if ((await readFile(file, 'utf8').catch(() => '')) === own) await rm(file, { force: true });
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const owner = await readOwner(file);
      if (owner && isAlive(owner)) throw new LockedError(file, owner.pid);
      await rm(file, { force: true });
    }
    throw new Error(`The lock ${file} cannot be taken.`);
  } finally {
    await rm(draft, { force: true });
  }
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

function isAlive(owner: Owner): boolean {
  const identity = processIdentity(owner.pid);
  return identity !== '' && identity === owner.identity;
}
