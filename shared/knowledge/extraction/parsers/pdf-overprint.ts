import { type TextItem, xOf, yOf } from './pdf-item.js';

/** How far from one another the same words are drawn to look bold, or to have a shadow, of the size of the letters. */
const nearby = 0.15;

/** Leaves out what is drawn once more over itself. */
export function withoutOverprint(items: readonly TextItem[]): TextItem[] {
  const drawn = new Map<string, TextItem[]>();
  return items.filter((item) => {
    if (item.str.trim() === '') return true;
    const same = drawn.get(item.str) ?? [];
    drawn.set(item.str, same);
    const reach = item.height * nearby;
    // The last ones only: on a page of nothing but one letter this would take the square of their number.
    const again = same.slice(-4).some((each) => {
      return Math.abs(xOf(each) - xOf(item)) < reach && Math.abs(yOf(each) - yOf(item)) < reach;
    });
    if (!again) same.push(item);
    return !again;
  });
}
