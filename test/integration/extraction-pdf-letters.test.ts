import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileReader, startFileReader } from '../support/extraction.js';
import { pdfOf } from '../support/small-files.js';

let files: FileReader;
beforeAll(async () => {
  files = await startFileReader();
});
afterAll(() => files.close());

const textOf = (...lines: string[]): Promise<string> => files.textOf('a.pdf', pdfOf([lines.join('\n')]));

describe('letters that stand apart', () => {
  it.each([1.5, 3, 6])('are put together to words (%d points)', async (points) => {
    const title = `) Tj ${points} Tc (Annual report of 2024 savings) Tj 0 Tc (`;
    expect(await textOf('An annual', title, 'report')).toBe('An annual Annual report of 2024 savings report');
  });

  it('are put together where each is drawn by itself, or a gap is all that parts the words', async () => {
    // How wide the letters of the font are, in thousandths.
    const widths: Record<string, number> = { N: 722, E: 667, T: 611, I: 278, C: 722, O: 778, M: 833, ' ': 278 };
    const advance = (letter: string): number => (12 * ((widths[letter] ?? 0) + 130)) / 1000;
    const each = Array.from('NET INCOME', (letter) => `(${letter}) Tj ${advance(letter)} 0 Td`).join(' ');
    const kerned = `[${Array.from('TOTAL', (letter) => `(${letter}) -200`).join(' ')} -300 ${Array.from('COST', (letter) => `(${letter}) -200`).join(' ')}] TJ`;
    expect(await textOf(`) Tj ${each} (`)).toBe('NET INCOME');
    expect(await textOf(`) Tj ${kerned} (`)).toBe('TOTAL COST');
  });

  it('stay apart where the file has spaces between them', async () => {
    expect(await textOf('A B C D E are the answers', 'A B C D E')).toBe('A B C D E are the answers A B C D E');
  });
});

it('has no spaces in words whose letters change their width', async () => {
  // As TeX fills its lines: the matrix makes letters a little wider or narrower, and says where each begins.
  const parts: [text: string, scale: number][] = [
    ['so', 0.98],
    ['a', 1.02],
    ['ll', 0.98],
    ['non', 1.02],
  ];
  const widths: Record<string, number> = { s: 6, o: 6.672, a: 6.672, l: 2.664, n: 6.672 };
  let x = 72;
  const drawn = parts.map(([text, scale]) => {
    const at = x;
    x += Array.from(text).reduce((sum, letter) => sum + (widths[letter] ?? 0) * scale, 0);
    return `${scale} 0 0 1 ${at.toFixed(4)} 600 Tm (${text}) Tj`;
  });
  expect(await textOf(`) Tj ${drawn.join(' ')} (`)).toBe('soallnon');
});

it.each([
  ['upwards', '0 1 -1 0', 20],
  ['downwards', '0 -1 1 0', -20],
])('reads what is written %s by its lines', async (_, turned, step) => {
  const row = (at: number, cells: string[]): string =>
    cells
      .map((cell, index) => `${turned} ${300 + at * step} ${400 + Math.sign(step) * index * 100} Tm (${cell}) Tj`)
      .join(' ');
  const table = `${row(0, ['Country', 'Area'])} ${row(1, ['France', '643801'])}`;
  const pdf = pdfOf([`Above\n) Tj ${table} (`]);
  const lines = (await files.linesOf('a.pdf', pdf)).filter((line) => line !== '');
  expect(lines).toEqual(['Above', 'Country Area', 'France 643801']);
});

it('reads once what is drawn over itself to look bold', async () => {
  const bold = ') Tj 0.4 0 Td (Total) Tj 0.4 0 Td (Total) Tj -0.8 0 Td (';
  expect(await textOf('Total', 'Total of all', `Total${bold}`)).toBe('Total Total of all Total');
});
