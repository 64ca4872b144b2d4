import path from 'node:path';
import type { Piece } from '../piece.js';
import type { ReadInner } from './parser.js';
import type { Relation } from './relations.js';
import type { Archive } from './zip.js';

/** Something of another program that is embedded in an office file, and what it is called in the relations. */
export type EmbeddedObject = { program: string; id: string };

/** Where in the file it is embedded: on a page of its own it is on none of this one. */
type Place = Pick<Piece, 'slide' | 'sheet'>;

/**
 * What is embedded in a part of an office file and shown as a picture of its first page: files of newer office programs
 * are read, each under its name. Of the others is said that they are not, for those who look for what they say.
 *
 * @param place where that part is; of a text it has none, and then the places inside of the file are kept.
 */
export async function* embeddedPieces(
  archive: Archive,
  { objects, relations }: { objects: readonly EmbeddedObject[]; relations: readonly Relation[] },
  { readInner, above = [], place }: { readInner: ReadInner; above?: readonly string[]; place?: Place },
): AsyncGenerator<Piece> {
  const files = relations.filter(({ type, target }) => type === 'package' && archive.has(target));
  for (const { target } of files) {
    for await (const piece of innerPieces(archive, target, readInner)) {
      const headingPath = [...above, path.posix.basename(target), ...piece.headingPath];
      yield { ...piece, ...(place && { page: undefined, slide: undefined, sheet: undefined, ...place }), headingPath };
    }
  }
  // What is only linked is in no relation to a part of the file.
  const unread = objects.filter(
    (object) => !isFormula(object) && relations.some(({ id, type }) => id === object.id && type !== 'package'),
  );
  for (const program of new Set(unread.map(({ program }) => program))) {
    const text = `An embedded object${program && ` (${program})`} was not read.`;
    yield { ...place, headingPath: [...above], text, done: 1, note: true };
  }
}

/** What is found in an entry of an archive that is a file of its own. */
export async function* innerPieces(archive: Archive, name: string, readInner: ReadInner): AsyncGenerator<Piece> {
  const content: Buffer[] = [];
  for await (const bytes of archive.read(name)) content.push(bytes);
  for await (const piece of readInner({ name: path.posix.basename(name), content: Buffer.concat(content) })) {
    yield { ...piece, done: 1 };
  }
}

/** Formulas are objects too, hundreds of them: nobody looks for text in one. */
const isFormula = ({ program }: EmbeddedObject): boolean => /^equation/i.test(program);
