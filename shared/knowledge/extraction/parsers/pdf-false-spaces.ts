import { type TextItem, xOf, yOf } from './pdf-item.js';

/** Of the size of the letters: the narrowest real space that was seen is 0.03. */
const noGap = 0.02;

/**
 * Leaves out spaces between letters that touch each other. The library puts one wherever the width of letters changes by
 * itself, as TeX changes it to fill its lines: of a manual that was set so, every third word was in pieces.
 */
export function withoutFalseSpaces(items: readonly TextItem[]): TextItem[] {
  return items.filter((item, at) => {
    const before = items[at - 1];
    const after = items[at + 1];
    if (!before || !after || item.str !== ' ' || item.hasEOL || before.hasEOL) return true;
    const size = Math.min(before.height, after.height);
    const gap = xOf(after) - xOf(before) - before.width;
    return (
      item.width > size * noGap || Math.abs(gap) > size * noGap || Math.abs(yOf(after) - yOf(before)) > size * noGap
    );
  });
}
