import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LocalFile } from './object-store.js';

/** What the names of folders begin with in which copies of objects are. */
const prefix = 'millrace-object-';

const lifetimeMs = 24 * 60 * 60 * 1000;

/** A place on the disk for the copy of an object. */
export async function createCopy(): Promise<LocalFile> {
  const folder = await mkdtemp(path.join(tmpdir(), prefix));
  return { path: path.join(folder, randomUUID()), release: () => rm(folder, { recursive: true, force: true }) };
}

/**
 * Removes the copies of processes that were killed. Others on this machine may be using theirs: those are younger,
 * because no file is read for so long.
 */
export async function removeOldCopies(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const folder = path.join(tmpdir(), name);
    const { mtimeMs } = await stat(folder);
    if (Date.now() - mtimeMs > lifetimeMs) await rm(folder, { recursive: true, force: true });
  }
}
