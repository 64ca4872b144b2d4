import { ExtractionFailed } from '../failure.js';
import type { Piece } from '../piece.js';
import { tableRows } from '../table.js';
import { type EmbeddedObject, embeddedPieces } from './embedded.js';
import type { Source } from './parser.js';
import { numberFormatsOf } from './number-formats.js';
import { mainPartOf, type Relation, referenceOf, relationsOf } from './relations.js';
import { readSheet } from './sheet.js';
import { sharedStringsOf } from './shared-strings.js';
import { sheetNotes } from './sheet-notes.js';
import { scanXml } from './xml.js';
import { type Archive, openArchive } from './zip.js';

/** A workbook sheet by sheet and row by row: a library that gives whole sheets would have to hold them. */
export async function* readXlsx({ path, limits, onPages, onAdvance, readInner }: Source): AsyncGenerator<Piece> {
  const archive = await openArchive(path, limits.inflatedBytes);
  try {
    if (archive.has('xl/workbook.bin')) throw binaryWorkbook();
    const main = await mainPartOf(archive, 'xl/workbook.xml', 'Excel');
    const relations = await relationsOf(archive, main);
    const { sheets, since1904 } = await workbookOf(archive, main, relations);
    onPages(sheets.length);
    if (sheets.length > limits.pages) {
      throw new ExtractionFailed(
        'too_many_pages',
        `The file has ${sheets.length} sheets; ${limits.pages} are allowed.`,
      );
    }
    const partOf = (type: string): string | undefined =>
      relations.find((relation) => relation.type === type && archive.has(relation.target))?.target;
    const strings = await sharedStringsOf(archive, partOf('sharedStrings'));
    const formats = await numberFormatsOf(archive, partOf('styles'));
    const total = sheets.reduce((sum, { target }) => sum + archive.sizeOf(target), 0);
    let read = 0;
    for (const { name, target } of sheets) {
      const bytes = counted(archive.read(target), (count) => {
        read += count;
        onAdvance();
      });
      const table = tableRows({ sheet: name }, () => Math.min(1, read / Math.max(1, total)));
      const objects: EmbeddedObject[] = [];
      const rowsOf = readSheet(bytes, { strings, formats, since1904 }, (object) => objects.push(object));
      for await (const rows of rowsOf) yield* table.add(rows);
      yield* table.end();
      const beside = await relationsOf(archive, target);
      const notes = await sheetNotes(archive, beside);
      const done = Math.min(1, read / Math.max(1, total));
      if (notes.length > 0) yield { sheet: name, headingPath: [name], text: notes.join('\n'), done };
      const embedded = { objects, relations: beside };
      const found = embeddedPieces(archive, embedded, { readInner, above: [name], place: { sheet: name } });
      for await (const piece of found) yield { ...piece, done };
    }
  } finally {
    archive.close();
  }
}

function binaryWorkbook(): ExtractionFailed {
  const advice = 'Save it as .xlsx and upload it again.';
  return new ExtractionFailed('unknown_type', `Binary workbooks (.xlsb) cannot be read. ${advice}`);
}

async function workbookOf(
  archive: Archive,
  main: string,
  relations: readonly Relation[],
): Promise<{ sheets: { name: string; target: string }[]; since1904: boolean }> {
  const sheets: { name: string; target: string }[] = [];
  let since1904 = false;
  await scanXml(archive.read(main), {
    open(tag, attributes) {
      if (tag === 'workbookPr') since1904 = /^(1|true)$/.test(attributes.date1904 ?? '');
      const id = tag === 'sheet' ? referenceOf(attributes) : '';
      // Sheets that hold a macro have no rows; those that hold only a chart have its titles.
      const sheet = relations.find((part) => part.id === id && /^(work|chart)sheet$/.test(part.type));
      if (sheet && archive.has(sheet.target)) sheets.push({ name: attributes.name ?? '', target: sheet.target });
    },
  });
  return { sheets, since1904 };
}

async function* counted(bytes: AsyncIterable<Buffer>, count: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const some of bytes) {
    count(some.length);
    yield some;
  }
}
