import { maxPartChars, type Piece } from './piece.js';

const maxTitleChars = 200;

/**
 * Turns rows into lines of text. The row of titles goes into the heading path, so that a passage from the
 * middle of a long table says what its columns are.
 */
export function tableRows(
  place: { sheet?: string },
  done: () => number,
): { add(rows: string[][]): Iterable<Piece>; end(): Iterable<Piece> } {
  let titles: string[] | undefined;
  let lines: string[] = [];
  let chars = 0;

  function piece(): Piece {
    const text = lines.join('\n');
    lines = [];
    chars = 0;
    return { ...place, headingPath: [...(place.sheet ? [place.sheet] : []), ...(titles ?? [])], text, done: done() };
  }

  return {
    *add(rows) {
      for (const row of rows) {
        const line = lineOf(row);
        if (!line) continue;
        // What a report says of itself above its table, and its name, stand alone in their rows.
        if (row.filter((cell) => cell.trim()).length > 1) titles ??= titlesOf(row);
        if (chars > 0 && chars + line.length > maxPartChars - 2) yield piece();
        lines.push(line);
        chars += line.length + 1;
      }
    },
    *end() {
      if (lines.length > 0) yield piece();
    },
  };
}

/** The cells of a row in one line; empty ones at its end are left out. */
export function lineOf(cells: string[]): string {
  const texts = cells.map((cell) => cell.replaceAll(/\s+/g, ' ').trim());
  while (texts.length > 0 && !texts.at(-1)) texts.pop();
  return texts.every((text) => !text) ? '' : texts.join(' | ');
}

/** The row if it can be one of titles: words in two cells or more, and no numbers but years. */
function titlesOf(row: string[]): string[] {
  const cells = row.map((cell) => cell.trim()).filter(Boolean);
  const words = cells.filter((cell) => /\p{L}/u.test(cell) && cell.length <= 60);
  const years = cells.filter((cell) => /^(19|20)\d\d$/.test(cell));
  return words.length > 0 && words.length + years.length === cells.length
    ? [cells.join(' | ').slice(0, maxTitleChars)]
    : [];
}
