import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ExtractedPart } from '../../shared/knowledge/extraction/part.js';
import { objectsIn } from '../../shared/knowledge/extraction/parsers/pdf-tags.js';
import { type FileReader, startFileReader } from '../support/extraction.js';
import { pdfOf } from '../support/small-files.js';
import { taggedPdfOf } from '../support/tagged-pdf.js';

let files: FileReader;
beforeAll(async () => {
  files = await startFileReader();
});
afterAll(() => files.close());

const placed = (parts: ExtractedPart[]) =>
  parts.map(({ page, headingPath, text }) => [page, headingPath, text.trim().replaceAll('\n', ' ')]);

const handbook = taggedPdfOf([
  [
    { roles: ['P'], mark: 'Title', text: 'Handbook' },
    { roles: ['H1', 'Span'], text: 'Leave' },
    { roles: ['P'], text: 'Everyone has some.' },
    { roles: ['H2'], text: 'Sick leave' },
    { roles: ['P'], text: 'Tell us.' },
  ],
  [{ roles: ['P'], text: 'In the morning.' }],
  [
    { roles: ['P'], text: 'Or at noon.' },
    { roles: ['Sect', 'H'], text: 'Expenses' },
    { roles: ['Sect', 'P'], text: 'Send receipts.' },
    { roles: ['Sect', 'Sect', 'H'], text: 'Taxis' },
  ],
]);

it('a PDF without an outline has the headings that it marks as such', async () => {
  expect(placed(await files.partsOf('a.pdf', handbook))).toEqual([
    [1, ['Handbook'], 'Handbook'],
    [1, ['Handbook', 'Leave'], 'Leave Everyone has some.'],
    [1, ['Handbook', 'Leave', 'Sick leave'], 'Sick leave Tell us.'],
    [2, ['Handbook', 'Leave', 'Sick leave'], 'In the morning.'],
    [3, ['Handbook', 'Leave', 'Sick leave'], 'Or at noon.'],
    [3, ['Handbook', 'Expenses'], 'Expenses Send receipts.'],
    [3, ['Handbook', 'Expenses', 'Taxis'], 'Taxis'],
  ]);
});

it('and they begin with their own lines, not with a sentence that begins with the same words', async () => {
  const pdf = taggedPdfOf([
    [
      { roles: ['H1'], text: 'Report' },
      { roles: ['P'], text: 'Costs are named below.' },
      { roles: ['H2'], text: 'Costs' },
    ],
  ]);
  expect(placed(await files.partsOf('a.pdf', pdf))).toEqual([
    [1, ['Report'], 'Report Costs are named below.'],
    [1, ['Report', 'Costs'], 'Costs'],
  ]);
});

it('the headings above are known where reading goes on at a page', async () => {
  const parts = await files.partsOf('a.pdf', handbook);
  const resumed = parts.filter(({ resume }) => resume);
  expect(resumed.map(({ page }) => page)).toEqual([1, 2, 3]);
  for (const { part, resume } of resumed)
    expect(await files.partsOf('a.pdf', handbook, resume)).toEqual(parts.slice(part + 1));
});

it('a PDF says how many objects it has, and one that is broken does not', () => {
  expect(objectsIn(pdfOf(['one']))).toBe(6);
  expect(objectsIn(Buffer.from('%PDF-1.7 and no more'))).toBe(Infinity);
});
