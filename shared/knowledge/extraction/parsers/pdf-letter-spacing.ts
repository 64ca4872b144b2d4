import type { Sign } from './pdf-drawn.js';
import { type TextItem, yOf } from './pdf-item.js';

const minLetters = 4;
/** Which share of the words have a single letter. */
const minSingles = 0.7;
/** A page of more text is none of titles: what is drawn takes 200 bytes for each letter. */
const maxPageChars = 50_000;
/** How much wider the gap between words is than that between letters, in thousandths of the size. */
const wordGap = 150;

/**
 * Puts words together whose letters stand apart, as titles are set: the library has a space behind each of their letters
 * then, and often no wider one between two words. What the file itself draws has its words.
 *
 * @param drawnOn what the page draws; it costs as much as the text, and is asked for only where there are such words.
 */
export async function joinSpacedLetters(
  items: readonly TextItem[],
  drawnOn: () => Promise<readonly Sign[][]>,
): Promise<TextItem[]> {
  const lines = new Set(items.filter(({ str }) => isSpaced(str)).map(yOf));
  const chars = items.reduce((sum, { str }) => sum + str.length, 0);
  if (lines.size === 0 || chars > maxPageChars) return [...items];
  const drawn = (await drawnOn()).map(textOf).join(' ');
  const places = Array.from(drawn.matchAll(/\S/g), ({ index }) => index);
  const letters = drawn.replaceAll(/\s/g, '');
  let from = 0;
  return items.map((item) => {
    // A short word is known by the longer ones beside it.
    if (!isSpaced(item.str) && !(lines.has(yOf(item)) && /^\S(?: \S)+$/.test(item.str))) return item;
    const wanted = item.str.replaceAll(/\s/g, '');
    const next = letters.indexOf(wanted, from);
    const start = next < 0 ? letters.indexOf(wanted) : next;
    if (start < 0) return item;
    from = start + wanted.length;
    return { ...item, str: drawn.slice(places[start], (places[from - 1] ?? 0) + 1) };
  });
}

function isSpaced(text: string): boolean {
  const words = text.trim().split(/\s+/);
  const singles = words.filter((word) => word.length === 1);
  return (
    singles.filter((word) => /\p{L}/u.test(word)).length >= minLetters && singles.length >= words.length * minSingles
  );
}

/** The letters of a run, with a space where the file has one, or where the gap is wider than most of the others. */
function textOf(run: readonly Sign[]): string {
  const gaps = run.slice(1).map(({ gap }) => gap);
  const usual = gaps.toSorted((one, other) => one - other)[Math.floor(gaps.length / 2)] ?? 0;
  return run.map(({ text, gap }, at) => (at > 0 && gap - usual > wordGap ? ` ${text}` : text)).join('');
}
