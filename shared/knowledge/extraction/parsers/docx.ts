import { damaged } from '../failure.js';
import { type Block, type Piece, sections } from '../piece.js';
import type { Source } from './parser.js';
import { relationsOf } from './relations.js';
import { wordBlocks } from './word-blocks.js';
import { headingStylesOf } from './word-styles.js';
import { type Archive, openArchive } from './zip.js';

const main = 'word/document.xml';

/**
 * A Word file: headings, lists, tables, text boxes and, at the end, its notes. Read as a stream: converters hold
 * it as a tree, for which 10 MB of XML, a few hundred pages, take half a gigabyte.
 */
export async function* readDocx({ path, limits }: Source): AsyncGenerator<Piece> {
  const archive = await openArchive(path, limits.inflatedBytes);
  try {
    if (!archive.has(main)) throw damaged('Word', `no ${main}`);
    const total = archive.sizeOf(main);
    let read = 0;
    const blocks = blocksOf(archive, (bytes) => (read += bytes));
    yield* sections(blocks, () => Math.min(1, read / Math.max(1, total)));
  } finally {
    archive.close();
  }
}

async function* blocksOf(archive: Archive, onRead: (bytes: number) => void): AsyncGenerator<Block> {
  const relations = await relationsOf(archive, main);
  const partOf = (type: string): string | undefined =>
    relations.find((relation) => relation.type === type && archive.has(relation.target))?.target;
  const styles = partOf('styles');
  const headings = styles ? await headingStylesOf(archive.read(styles)) : new Map<string, number>();
  yield* wordBlocks(counted(archive.read(main), onRead), headings);
  for (const type of ['footnotes', 'endnotes']) {
    const notes = partOf(type);
    if (notes) yield* wordBlocks(archive.read(notes), new Map());
  }
}

async function* counted(bytes: AsyncIterable<Buffer>, onRead: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const some of bytes) {
    onRead(some.length);
    yield some;
  }
}
