import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { headBytes, labelOf } from './detect-type.js';
import { ExtractionFailed } from './failure.js';
import type { InnerFile, ReadInner, Source } from './parsers/parser.js';
import type { Piece } from './piece.js';

const maxDepth = 5;

/**
 * Reads files that are inside of another one, as each would be read alone. In the place of one that cannot be read
 * stands why, for those who look for what it says; pictures, which many mails are signed with, give nothing. One that
 * passes a limit ends the whole file, and so does one too many: nobody would know of what is not found.
 *
 * @param folder where they are put; it is made when the first of them comes.
 */
export function innerReader(
  folder: string,
  { limits, onAdvance }: Pick<Source, 'limits' | 'onAdvance'>,
  read: (source: Source, name: string) => AsyncIterable<Piece>,
): ReadInner {
  let left = limits.innerFiles;
  const readerAt = (depth: number): ReadInner =>
    async function* readInner({ name, content }: InnerFile) {
      if (depth > maxDepth || content.byteLength === 0) return;
      if (left <= 0) throw tooMany(limits.innerFiles);
      left -= 1;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = path.join(folder, randomUUID());
      try {
        await writeFile(file, content, { mode: 0o600 });
        const source = { path: file, size: content.byteLength, limits, onPages: () => undefined, onAdvance };
        yield* read({ ...source, readInner: readerAt(depth + 1) }, name);
      } catch (error) {
        if (!(error instanceof ExtractionFailed) || error.code === 'too_large') throw error;
        if (error.code === 'empty' || (await isPicture(content))) return;
        yield { headingPath: [], text: `${name} was not read. ${error.message}`, done: 1, note: true };
      } finally {
        await rm(file, { force: true });
      }
    };
  return readerAt(1);
}

async function isPicture(content: Uint8Array): Promise<boolean> {
  return (await labelOf(Buffer.from(content.subarray(0, headBytes))))?.startsWith('image/') ?? false;
}

function tooMany(limit: number): ExtractionFailed {
  return new ExtractionFailed(
    'too_large',
    `There are more files inside of the file than are read (${limit}). Upload it in several parts.`,
  );
}
