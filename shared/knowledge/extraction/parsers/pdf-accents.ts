import { type TextItem, xOf, yOf } from './pdf-item.js';

/** Accents that stand by themselves, and those that join the letter before them. */
const combining: Record<string, string> = {
  '`': '\u0300',
  '\u00b4': '\u0301',
  '\u02c6': '\u0302',
  '^': '\u0302',
  '\u02dc': '\u0303',
  '~': '\u0303',
  '\u00af': '\u0304',
  '\u02d8': '\u0306',
  '\u02d9': '\u0307',
  '\u00a8': '\u0308',
  '\u02da': '\u030a',
  '\u02dd': '\u030b',
  '\u02c7': '\u030c',
  '\u00b8': '\u0327',
  '\u02db': '\u0328',
};

/**
 * Puts accents and letters together that are drawn over each other, as by TeX with its own fonts: else nobody finds
 * `G¨odel`. One that is not drawn over the letter that follows stands for itself.
 */
export function composeAccents(items: readonly TextItem[]): TextItem[] {
  const composed: TextItem[] = [];
  for (const item of items) {
    const before = composed.at(-1);
    const letter = before && overlays(before, item) ? letterOf(before.str, item.str) : undefined;
    if (!before || !letter) {
      composed.push(item);
      continue;
    }
    composed.pop();
    const rest = before.str.slice(0, -1);
    // As wide as if the accent had never been there: a step back would be taken for a gap.
    if (rest) composed.push({ ...before, str: rest, width: xOf(item) - xOf(before) });
    composed.push({ ...item, str: letter + item.str.slice(1) });
  }
  return composed;
}

/** Whether the letter begins before the accent ends, at about its height. */
function overlays(accent: TextItem, letter: TextItem): boolean {
  const size = letter.height;
  if (accent.hasEOL || size <= 0 || Math.abs(yOf(accent) - yOf(letter)) > size / 2) return false;
  const back = xOf(accent) + accent.width - xOf(letter);
  return back > size / 10 && back < size * 1.2;
}

function letterOf(accented: string, following: string): string | undefined {
  const mark = combining[accented.at(-1) ?? ''];
  const base = following[0]?.replace('\u0131', 'i').replace('\u0237', 'j') ?? '';
  if (mark === undefined || !/\p{L}/u.test(base)) return undefined;
  const letter = (base + mark).normalize('NFC');
  return letter.length === 1 ? letter : undefined;
}
