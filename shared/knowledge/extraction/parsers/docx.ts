import path from 'node:path';
import { type Block, type Piece, sections } from '../piece.js';
import { readChart } from './chart.js';
import type { Source } from './parser.js';
import { mainPartOf, type Relation, relationsOf } from './relations.js';
import { readSlide } from './slide.js';
import { type WordObject, wordBlocks } from './word-blocks.js';
import { wordListsOf } from './word-numbering.js';
import { wordStylesOf } from './word-styles.js';
import { type Archive, openArchive } from './zip.js';

/**
 * A Word file: headings, lists, tables, text boxes and, at the end, its charts, diagrams, notes, comments and what stands above
 * and below its pages. Read as a stream: converters hold it as a tree, for which 10 MB of XML, a few hundred pages,
 * take half a gigabyte.
 */
export async function* readDocx({ path: file, limits, readInner }: Source): AsyncGenerator<Piece> {
  const archive = await openArchive(file, limits.inflatedBytes);
  try {
    const main = await mainPartOf(archive, 'word/document.xml', 'Word');
    const total = archive.sizeOf(main);
    let read = 0;
    const relations = await relationsOf(archive, main);
    const partsOf: PartsOf = (type) =>
      relations.filter((part) => part.type === type && archive.has(part.target)).map(({ target }) => target);
    const [styles] = partsOf('styles');
    const [numbering] = partsOf('numbering');
    const looks = {
      styles: styles ? await wordStylesOf(archive.read(styles)) : new Map(),
      lists: numbering ? await wordListsOf(archive.read(numbering)) : new Map(),
    };
    const objects: WordObject[] = [];
    const body = wordBlocks(
      counted(archive.read(main), (bytes) => (read += bytes)),
      looks,
      (object) => objects.push(object),
    );
    yield* sections(body, () => Math.min(1, read / Math.max(1, total)));
    for (const chunk of partsOf('aFChunk')) yield* insertedPieces(archive, chunk, readInner);
    // Of the whole file, and not of what its last heading is about.
    yield* sections(restOf(archive, partsOf), () => 1);
    for (const file of partsOf('package')) yield* embeddedPieces(archive, file, readInner);
    const unread = new Set(objects.filter((object) => !isRead(object, relations)).map(({ program }) => program));
    for (const program of unread) yield notRead(program);
  } finally {
    archive.close();
  }
}

type PartsOf = (type: string) => string[];

/**
 * A file in another format that Word takes over when it opens this one: programs that turn web pages into Word files put
 * all of their text there.
 */
async function* insertedPieces(archive: Archive, name: string, readInner: Source['readInner']): AsyncGenerator<Piece> {
  const content: Buffer[] = [];
  for await (const bytes of archive.read(name)) content.push(bytes);
  for await (const piece of readInner({ name: path.posix.basename(name), content: Buffer.concat(content) })) {
    yield { ...piece, done: 1 };
  }
}

/** A file of a newer office program that is shown as a picture of its first page, under its name. */
async function* embeddedPieces(archive: Archive, name: string, readInner: Source['readInner']): AsyncGenerator<Piece> {
  for await (const piece of insertedPieces(archive, name, readInner)) {
    yield { ...piece, headingPath: [path.posix.basename(name), ...piece.headingPath] };
  }
}

/** Formulas are objects too, hundreds of them: nobody looks for text in one. */
const isRead = ({ program, id }: WordObject, relations: readonly Relation[]): boolean =>
  /^equation/i.test(program) || relations.some((part) => part.id === id && part.type === 'package');

function notRead(program: string): Piece {
  const text = `An embedded object${program && ` (${program})`} was not read.`;
  return { headingPath: [], text, done: 1, note: true };
}

async function* restOf(archive: Archive, partsOf: PartsOf): AsyncGenerator<Block> {
  for (const chart of partsOf('chart')) {
    const { titles, rows } = await readChart(archive.read(chart));
    for (const text of [...titles, ...rows]) yield { text };
  }
  for (const diagram of partsOf('diagramData')) {
    for (const text of (await readSlide(archive.read(diagram))).lines) yield { text };
  }
  for (const type of ['footnotes', 'endnotes', 'comments']) {
    for (const notes of partsOf(type)) yield* wordBlocks(archive.read(notes));
  }
  // First, even and other pages, and each section, may say the same.
  const said = new Set<string>();
  for (const margin of [...partsOf('header'), ...partsOf('footer')]) {
    for await (const { text } of wordBlocks(archive.read(margin))) {
      if (!said.has(text)) yield { text };
      said.add(text);
    }
  }
}

async function* counted(bytes: AsyncIterable<Buffer>, onRead: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const some of bytes) {
    onRead(some.length);
    yield some;
  }
}
