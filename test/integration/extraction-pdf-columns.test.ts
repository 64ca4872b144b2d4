import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileReader, startFileReader } from '../support/extraction.js';
import { pdfOf } from '../support/small-files.js';

let files: FileReader;
beforeAll(async () => {
  files = await startFileReader();
});
afterAll(() => files.close());

/** A line in the middle of which the pen goes on so far right of where the line began. */
const across = (...cells: string[]): string =>
  cells.join(`) Tj 240 0 Td (`) + `) Tj ${-240 * (cells.length - 1)} 0 Td (`;
const page = (...lines: string[]): Buffer => pdfOf([lines.join('\n')]);

describe('columns that a page draws line by line', () => {
  const left = [
    'The mill stands below',
    ...Array.from({ length: 9 }, (_, at) => `the water that turns its wheel ${at}`),
  ];
  const right = [
    'Grain is brought up',
    ...Array.from({ length: 9 }, (_, at) => `by carts from the old town side ${at}`),
  ];

  it('are read one after the other, below what lies across them', async () => {
    const title = 'A title that is as wide as both of the columns and lies across them all';
    const lines = left.map((line, at) => across(line, right[at] ?? ''));
    expect(await files.textOf('a.pdf', page(title, ...lines))).toBe([title, ...left, ...right].join(' '));
  });

  it('are read by rows when they are those of a table', async () => {
    const rows = Array.from({ length: 12 }, (_, at) => [
      `Part number ${at} of the machine`,
      `Made in ${1900 + at} of the best iron`,
    ]);
    expect(await files.textOf('a.pdf', page(...rows.map((row) => across(...row))))).toBe(rows.flat().join(' '));
  });
});

describe('an accent that is drawn over a letter', () => {
  // Octal: an accent of its own, in the encoding of the standard fonts.
  const over = (accent: string, before: string, after: string): string =>
    `) Tj [(${before}\\${accent}) 400 (${after})] TJ (`;

  it('is put together with it', async () => {
    const lines = [
      over('310', 'G', 'odel'),
      over('302', 'Poincar', 'e'),
      over('313', 'fran', 'cais'),
      over('302', 'art', '\\365culo'),
    ];
    expect(await files.textOf('a.pdf', page(...lines))).toBe('Gödel Poincaré français artículo');
  });

  it('stands for itself where it is drawn before the letter', async () => {
    expect(await files.textOf('a.pdf', page('it\\302s an ice'))).toBe('it´s an ice');
  });
});

it('a heading of the outline is found where it is printed in capitals', async () => {
  const outline = ['First', 'Second', 'Third'].map((title) => ({ title, page: 0 }));
  const pdf = pdfOf(['1 FIRST\nwords\n2 SECOND\nmore words\nThird\nlast words'], outline);
  expect(await files.headingsOf('a.pdf', pdf)).toEqual([['First'], ['Second'], ['Third']]);
});
