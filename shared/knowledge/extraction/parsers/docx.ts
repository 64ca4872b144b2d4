import { type Block, type Piece, sections } from '../piece.js';
import { readChart } from './chart.js';
import { type EmbeddedObject, embeddedPieces, innerPieces } from './embedded.js';
import type { Source } from './parser.js';
import { mainPartOf, relationsOf } from './relations.js';
import { readSlide } from './slide.js';
import { wordBlocks } from './word-blocks.js';
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
    const objects: EmbeddedObject[] = [];
    const body = wordBlocks(
      counted(archive.read(main), (bytes) => (read += bytes)),
      looks,
      (object) => objects.push(object),
    );
    yield* sections(body, () => Math.min(1, read / Math.max(1, total)));
    // Files in another format that Word takes over when it opens this one: programs that turn web pages into Word files
    // put all of their text there.
    for (const chunk of partsOf('aFChunk')) yield* innerPieces(archive, chunk, readInner);
    // Of the whole file, and not of what its last heading is about.
    yield* sections(restOf(archive, partsOf), () => 1);
    yield* embeddedPieces(archive, { objects, relations }, { readInner });
  } finally {
    archive.close();
  }
}

type PartsOf = (type: string) => string[];

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
