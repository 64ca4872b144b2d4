import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { NewFile } from '../knowledge/entries.js';
import { madeText, randomOf } from '../knowledge/made-text.js';

/** A file that is both on the disk and in memory: one side of the bench reads it, the other uploads it. */
export type BenchFile = NewFile & { path: string };

const made = 48;
/** Characters: from a note to a book's chapter, as many of one order of magnitude as of the next. */
const shortest = 4_000;
const longest = 400_000;

/** Files of different lengths; another seed makes others, because what is known already is not embedded again. */
export async function makeFiles(folder: string, seed: number): Promise<BenchFile[]> {
  await mkdir(folder, { recursive: true });
  const random = randomOf(seed);
  return Promise.all(
    Array.from({ length: made }, async (_, index) => {
      const characters = Math.round(shortest * (longest / shortest) ** random());
      const name = `${seed}-${index}.md`;
      const bytes = Buffer.from(madeText(seed * 1_000 + index, characters));
      await writeFile(path.join(folder, name), bytes);
      return { name, bytes, path: path.join(folder, name) };
    }),
  );
}

/** Every file of a folder. */
export async function readFiles(folder: string): Promise<BenchFile[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(
    found
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const file = path.join(entry.parentPath, entry.name);
        return { name: entry.name, path: file, bytes: await readFile(file) };
      }),
  );
}
