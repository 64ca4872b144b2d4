import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createExtractor, type Extraction } from '../../shared/knowledge/extraction/extract.js';
import type { ExtractedPart } from '../../shared/knowledge/extraction/part.js';
import { pdfOf, xlsxOf } from '../support/small-files.js';

const extractor = createExtractor();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'millrace-pdf-files-'));
});
afterAll(async () => {
  extractor.close();
  await rm(folder, { recursive: true, force: true });
});

async function read(pdf: Buffer, from?: Extraction['from']): Promise<ExtractedPart[]> {
  const file = path.join(folder, 'a.pdf');
  await writeFile(file, pdf);
  const parts: ExtractedPart[] = [];
  for await (const part of extractor.extract({ path: file, name: 'a.pdf', from })) parts.push(part);
  return parts;
}

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
  const parts = await read(carrying(['First', 'Second']));
  expect(placed(parts)).toEqual([[1, [], 'First'], [2, [], 'Second'], ...attachedTexts]);
});

it('and reading goes on behind any of them', async () => {
  const pdf = carrying(['First', 'Second']);
  const parts = await read(pdf);
  for (const { part, resume } of parts) expect(await read(pdf, resume)).toEqual(parts.slice(part + 1));
});

it('of a PDF without text on its pages, as a portfolio is, they are all of it', async () => {
  expect(placed(await read(carrying([''])))).toEqual(attachedTexts);
});

it('a scan stays one, whatever is said of files that it carries and that cannot be read', async () => {
  const pdf = pdfOf([''], [], [], [{ name: 'broken.pdf', content: Buffer.from('%PDF-1.7 and no more') }]);
  await expect(read(pdf)).rejects.toMatchObject({ code: 'no_text' });
});
