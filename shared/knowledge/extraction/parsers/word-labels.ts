import type { NumberedLevel, WordList } from './word-numbering.js';

/** What stands before items that have no number. */
export const dash = '-';

/** Counts the items of the lists of a Word file: what Word shows before them is nowhere in their text. */
export function wordLabels(lists: ReadonlyMap<string, WordList>): {
  /** What stands before the next paragraph of the list that it names by this number. */
  next(number: string, depth: number | undefined, style: string): string;
} {
  const counted = new Map<string, (number | undefined)[]>();
  const begun = new Set<string>();

  return {
    next(number, own, style) {
      const list = lists.get(number);
      const depth = own ?? list?.depths.get(style) ?? 0;
      const level = list?.levels.get(depth);
      if (!list || !level) return number === '0' ? '' : dash;
      if (level.format === 'bullet') return dash;
      const counts = counted.get(list.counts) ?? [];
      counted.set(list.counts, counts);
      if (!begun.has(number)) for (const [at, start] of list.restarts) counts[at] = start - 1;
      begun.add(number);
      counts[depth] = (counts[depth] ?? level.start - 1) + 1;
      counts.length = depth + 1;
      return level.text.replaceAll(/%([1-9])/g, (_, place: string) => {
        const above = list.levels.get(Number(place) - 1);
        return above ? written((counts[Number(place) - 1] ??= above.start), above) : '';
      });
    },
  };
}

const romans: [value: number, sign: string][] = [
  [1000, 'm'],
  [900, 'cm'],
  [500, 'd'],
  [400, 'cd'],
  [100, 'c'],
  [90, 'xc'],
  [50, 'l'],
  [40, 'xl'],
  [10, 'x'],
  [9, 'ix'],
  [5, 'v'],
  [4, 'iv'],
  [1, 'i'],
];

function written(number: number, { format }: NumberedLevel): string {
  if (format === 'none') return '';
  if (number < 1 || number > 3_000) return String(number);
  if (format === 'decimalZero') return String(number).padStart(2, '0');
  if (format === 'lowerLetter') return letters(number);
  if (format === 'upperLetter') return letters(number).toUpperCase();
  if (format === 'lowerRoman') return roman(number);
  if (format === 'upperRoman') return roman(number).toUpperCase();
  return String(number);
}

/** After `z` follow `aa` and `bb`. */
const letters = (number: number): string =>
  String.fromCodePoint(97 + ((number - 1) % 26)).repeat(Math.ceil(number / 26));

function roman(number: number): string {
  let left = number;
  let text = '';
  for (const [value, sign] of romans) {
    text += sign.repeat(Math.floor(left / value));
    left %= value;
  }
  return text;
}
