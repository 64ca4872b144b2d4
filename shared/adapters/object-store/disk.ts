import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, opendir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ObjectMissing, type ObjectStore } from './object-store.js';

/** What is being written has this ending until it is whole. */
const partial = '.part';

/** Objects as files below a folder, which is made when it is needed. For one machine: every process sees this folder. */
export function createDiskStore(folder: string): ObjectStore {
  const root = path.resolve(folder);

  /** Keys are made by this program, but a mistake there must not reach out of the folder. */
  function pathOf(key: string): string {
    if (!/^[\w-]+(\/[\w.-]+)*$/.test(key) || key.includes('..')) throw new Error('not a key of an object');
    return path.join(root, key);
  }

  async function requireFile(key: string): Promise<string> {
    const file = pathOf(key);
    const found = await stat(file).catch(absent);
    if (!found) throw new ObjectMissing(key);
    return file;
  }

  return {
    async put(key, source, signal) {
      const file = pathOf(key);
      await mkdir(path.dirname(file), { recursive: true });
      // A name of its own: two that write the same key at once do not write into each other.
      const unfinished = `${file}.${randomUUID()}${partial}`;
      try {
        // `flush` puts the bytes on the disk before the name says that they are there.
        await pipeline(Readable.from(source), createWriteStream(unfinished, { flush: true, mode: 0o600 }), { signal });
        await rename(unfinished, file);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw signal?.aborted ? signal.reason : error;
      }
    },
    async open(key, range) {
      return createReadStream(await requireFile(key), range);
    },
    async localFile(key) {
      return { path: await requireFile(key), release: () => Promise.resolve() };
    },
    delete: (key) => rm(pathOf(key), { force: true }),
    async *list(prefix) {
      const directory = await opendir(path.join(root, path.dirname(`${prefix}x`)), { recursive: true }).catch(absent);
      if (!directory) return;
      for await (const entry of directory) {
        const file = path.join(entry.parentPath, entry.name);
        const key = path.relative(root, file).split(path.sep).join('/');
        if (!entry.isFile() || !key.startsWith(prefix)) continue;
        const found = await stat(file).catch(absent);
        if (found) yield { key, changedAt: found.mtime };
      }
    },
    readText: async (key) => (await readFile(pathOf(key), 'utf8').catch(absent)) ?? null,
    close() {},
  };
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
