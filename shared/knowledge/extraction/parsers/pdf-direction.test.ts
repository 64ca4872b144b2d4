import { expect, it } from 'vitest';
import { orderFromRight } from './pdf-direction.js';
import type { TextItem } from './pdf-item.js';

/** Pieces that are drawn one beside the other from the left, ten points for each letter. */
function drawn(pieces: string[], x = 0, y = 100): TextItem[] {
  return pieces.map((str, at) => ({
    str,
    transform: [1, 0, 0, 1, x + pieces.slice(0, at).join('').length * 10, y],
    width: str.length * 10,
    height: 12,
    hasEOL: at === pieces.length - 1,
  }));
}

const textOf = (items: TextItem[]): string => items.map(({ str, hasEOL }) => str + (hasEOL ? '\n' : '')).join('');
const read = (pieces: string[]): string => textOf(orderFromRight(drawn(pieces))).trimEnd();

it('letters that are drawn from the left stand as they are read from the right', () => {
  expect(read(Array.from('םולש'))).toBe('שלום');
  expect(read(['.15', ' ', 'מספר', ' ', 'עם', ' ', 'טקסט'])).toBe('טקסט עם מספר 15.');
});

it('words and numbers from the left stay among them, and brackets hold what they held', () => {
  expect(read([...Array.from('ףוס'), ' ', '2024', ' ', 'in', ' ', 'May', ' ', ...Array.from('הלחתה')])).toBe(
    'התחלה 2024 in May סוף',
  );
  expect(read(['(', ...Array.from('בא'), ')', ' ', ...Array.from('דג')])).toBe('גד (אב)');
  expect(read(['A word, ', ...Array.from('םולש'), ', in English text'])).toBe('A word, שלום, in English text');
});

it('what is drawn from the right, and cells that stand apart, keep their order', () => {
  const items = [...drawn(['שלום'], 100), ...drawn(['עולם'], 50)].map((item) => ({ ...item, hasEOL: false }));
  expect(textOf(orderFromRight(items))).toBe('שלוםעולם');
  const cells = [...drawn(Array.from('בא'), 200), ...drawn(Array.from('דג'), 100)].map((item) => ({
    ...item,
    hasEOL: false,
  }));
  expect(orderFromRight(cells).map(({ str }) => str)).toEqual(['אב', 'גד']);
});
