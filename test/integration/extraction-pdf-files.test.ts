import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ExtractedPart } from '../../shared/knowledge/extraction/part.js';
import { type FileReader, startFileReader } from '../support/extraction.js';
import { pdfOf, xlsxOf } from '../support/small-files.js';

let files: FileReader;
beforeAll(async () => {
  files = await startFileReader();
});
afterAll(() => files.close());

const book = xlsxOf('<row><c r="A1" t="inlineStr"><is><t>a cell</t></is></c></row>');
const carrying = (texts: string[]): Buffer =>
  pdfOf(
    texts,
    [],
    [],
    [
      { name: 'book.xlsx', content: book },
      { name: 'broken.pdf', content: Buffer.from('%PDF-1.7 and no more') },
      { name: 'inner.pdf', content: pdfOf(['Inner one', 'Inner two']) },
    ],
  );

const placed = (parts: ExtractedPart[]) =>
  parts.map(({ page, sheet, headingPath, text }) => [page ?? sheet, headingPath, text.trim()]);

const attachedTexts = [
  ['Data', ['book.xlsx', 'Data'], 'a cell'],
  [undefined, ['broken.pdf'], 'broken.pdf was not read. The file is damaged: it is not a complete PDF file.'],
  [undefined, ['inner.pdf'], 'Inner one'],
  [undefined, ['inner.pdf'], 'Inner two'],
];

it('the files that a PDF carries are read after its pages, under their names and on no page of it', async () => {
  const parts = await files.partsOf('a.pdf', carrying(['First', 'Second']));
  expect(placed(parts)).toEqual([[1, [], 'First'], [2, [], 'Second'], ...attachedTexts]);
});

it('and reading goes on behind any of them', async () => {
  const pdf = carrying(['First', 'Second']);
  const parts = await files.partsOf('a.pdf', pdf);
  for (const { part, resume } of parts)
    expect(await files.partsOf('a.pdf', pdf, resume)).toEqual(parts.slice(part + 1));
});

it('of a PDF without text on its pages, as a portfolio is, they are all of it', async () => {
  expect(placed(await files.partsOf('a.pdf', carrying([''])))).toEqual(attachedTexts);
});

it('a scan stays one, whatever is said of files that it carries and that cannot be read', async () => {
  const pdf = pdfOf([''], [], [], [{ name: 'broken.pdf', content: Buffer.from('%PDF-1.7 and no more') }]);
  await expect(files.partsOf('a.pdf', pdf)).rejects.toMatchObject({ code: 'no_text' });
});

it('of a page that is damaged people are told, and the others are read', async () => {
  const whole = pdfOf(['First', 'Second']).toString('latin1');
  const broken = Buffer.from(whole.replace('[4 0 R 6 0 R]', '[4 0 R 9 0 R]'), 'latin1');
  expect(placed(await files.partsOf('a.pdf', broken))).toEqual([
    [1, [], 'First'],
    [2, [], 'Page 2 was not read: it is damaged.'],
  ]);
});
