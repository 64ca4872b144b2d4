import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type Entry, open, type ZipFile } from 'yauzl';
import { damaged, ExtractionFailed } from '../failure.js';

const maxEntries = 20_000;

/**
 * How much more an archive may unpack to than it has bytes, where that is much at all. Office files come to 10 or 30
 * times; a thousand times is what was made to keep a reader busy: 2 MB that unpack to 700 took it 82 s.
 */
const maxRatio = 100;
const muchBytes = 64 * 1024 * 1024;

/** An archive whose entries are inflated one by one, counting every byte that comes out of it. */
export type Archive = {
  names: string[];
  has(name: string): boolean;
  /** In bytes, as the archive says. */
  sizeOf(name: string): number;
  /** The bytes of an entry; throws `too_large` when the archive has given more than it may. */
  read(name: string): AsyncGenerator<Buffer>;
  close(): void;
};

/** Opens an archive. @throws {ExtractionFailed} when it is none, encrypted, or has too many entries. */
export async function openArchive(path: string, inflatedBytes: number): Promise<Archive> {
  const { size } = await stat(path);
  const zip = await openZip(path);
  const entries = new Map<string, Entry>();
  let left = Math.min(inflatedBytes, Math.max(muchBytes, size * maxRatio));
  try {
    if (zip.entryCount > maxEntries) throw tooLarge();
    for await (const entry of zip.eachEntry()) {
      if (entry.isEncrypted()) throw encrypted();
      entries.set(entry.fileName, entry);
    }
  } catch (error) {
    zip.close();
    throw error instanceof ExtractionFailed ? error : damaged('office', error);
  }

  // Names of parts are the same in small and capital letters, and programs write them differently in different places.
  const alike = new Map([...entries].map(([name, entry]) => [name.toLowerCase(), entry]));
  const entryOf = (name: string): Entry | undefined => entries.get(name) ?? alike.get(name.toLowerCase());

  return {
    names: [...entries.keys()],
    has: (name) => entryOf(name) !== undefined,
    sizeOf: (name) => entryOf(name)?.uncompressedSize ?? 0,
    async *read(name) {
      const entry = entryOf(name);
      if (!entry) throw damaged('office', `no entry ${name}`);
      // The declared size may be a lie, and yauzl only finds that out in the end: what comes out is counted.
      if (entry.uncompressedSize > left) throw tooLarge();
      try {
        for await (const bytes of await openEntry(zip, entry)) {
          left -= (bytes as Buffer).length;
          if (left < 0) throw tooLarge();
          yield bytes as Buffer;
        }
      } catch (error) {
        throw error instanceof ExtractionFailed ? error : damaged('office', error);
      }
    },
    close: () => zip.close(),
  };
}

function openZip(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    open(path, { lazyEntries: true, autoClose: false }, (error, zip) => {
      if (error) reject(damaged('office', error));
      else resolve(zip);
    });
  });
}

function openEntry(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
}

function tooLarge(): ExtractionFailed {
  return new ExtractionFailed('too_large', 'The file unpacks to more data than is allowed.');
}

function encrypted(): ExtractionFailed {
  return new ExtractionFailed('encrypted', 'The file is encrypted: it can only be opened with a password.');
}
