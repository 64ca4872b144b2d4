import { type TextItem, xOf, yOf } from './pdf-item.js';

/** Items that are drawn one after the other at one height. */
type Row = { items: TextItem[]; y: number };

/** Of columns that are as short nobody can say that they are not a table. */
const minRows = 8;
const minChars = 20;
const maxColumns = 4;
/** How far apart lines of one column may begin, in points. */
const ragged = 6;

/**
 * Puts columns of prose one after the other that a page draws line by line, across all of them: else every passage
 * would be made of halves of sentences. Most files draw a column at a time, and tables are read by their rows: both stay
 * as they are.
 */
export function orderColumns(items: TextItem[]): TextItem[] {
  const rows = rowsOf(items);
  const starts = columnStarts(rows);
  if (starts.length === 0) return items;
  const ordered: TextItem[] = [];
  let run: { row: Row; cells: TextItem[][] }[] = [];
  const flush = (): void => {
    const columns = columnsOf(run.map(({ cells }) => cells));
    ordered.push(...(columns ?? run.flatMap(({ row }) => row.items)));
    run = [];
  };
  for (const row of rows) {
    const cells = cellsOf(row, starts);
    // What lies across the columns, as a title, and what is drawn after going up again parts what is above and below.
    if (!cells || row.y > (run.at(-1)?.row.y ?? row.y)) flush();
    if (cells) run.push({ row, cells });
    else ordered.push(...row.items);
  }
  flush();
  return ordered;
}

function rowsOf(items: readonly TextItem[]): Row[] {
  const rows: Row[] = [];
  let ended = true;
  for (const item of items) {
    const row = rows.at(-1);
    // A line of the next column may stand a little higher or lower than the one beside it.
    const same = row && (!ended || (isText(item) && Math.abs(row.y - yOf(item)) < item.height / 2));
    if (same) row.items.push(item);
    else rows.push({ items: [item], y: yOf(item) });
    ended = item.hasEOL;
  }
  return rows;
}

/** Where the columns after the first begin: where many rows go on after a gap. */
function columnStarts(rows: readonly Row[]): number[] {
  let left = rows.flatMap(({ items }) => {
    const texts = items.filter(isText).toSorted((one, other) => xOf(one) - xOf(other));
    return texts.flatMap((item, at) => {
      const before = texts[at - 1];
      return before && xOf(item) - endOf(before) > item.height * 0.9 ? [xOf(item)] : [];
    });
  });
  const starts: number[] = [];
  while (left.length >= minRows && starts.length < maxColumns) {
    const sorted = left.toSorted((one, other) => one - other);
    let best: number[] = [];
    let end = 0;
    for (const [at, x] of sorted.entries()) {
      while (end < sorted.length && (sorted[end] ?? 0) <= x + ragged) end += 1;
      if (end - at > best.length) best = sorted.slice(at, end);
    }
    if (best.length < minRows) break;
    const [start = 0] = best;
    starts.push(start);
    left = left.filter((x) => Math.abs(x - start) > ragged * 4);
  }
  return starts.toSorted((one, other) => one - other);
}

/** The items of a row by column; undefined when one lies across two. */
function cellsOf(row: Row, starts: readonly number[]): TextItem[][] | undefined {
  const cells: TextItem[][] = Array.from({ length: starts.length + 1 }, () => []);
  let last: TextItem[] | undefined;
  for (const item of row.items) {
    if (!isText(item)) {
      last?.push(item);
      continue;
    }
    const column = starts.findLastIndex((start) => xOf(item) >= start - 1) + 1;
    if (endOf(item) > (starts[column] ?? Infinity)) return undefined;
    last = cells[column];
    last?.push(item);
  }
  return cells;
}

/** The items of these rows column by column, if they are columns of prose. */
function columnsOf(rows: readonly TextItem[][][]): TextItem[] | undefined {
  const beside = rows.filter((cells) => cells.filter((cell) => cell.some(isText)).length > 1);
  if (beside.length < minRows) return undefined;
  const columns = (rows[0] ?? []).map((_, column) =>
    rows.map((cells) => cells[column] ?? []).filter((cell) => cell.some(isText)),
  );
  const filled = columns.filter((lines) => lines.length > 0);
  if (!filled.every(isProse)) return undefined;
  const texts = filled.flat(2);
  const fromRight = texts.filter(({ dir }) => dir === 'rtl').length > texts.length / 2;
  return (fromRight ? filled.toReversed() : filled).flatMap((lines) => lines.flatMap(endLine));
}

/** Lines that are mostly full and go on with a small letter, where the script has them: cells of tables do neither. */
function isProse(lines: readonly TextItem[][]): boolean {
  if (lines.length < minRows) return false;
  const texts = lines.map((line) =>
    line
      .map(({ str }) => str)
      .join('')
      .trim(),
  );
  const widths = lines.map(
    (line) => Math.max(...line.filter(isText).map(endOf)) - Math.min(...line.filter(isText).map(xOf)),
  );
  const full = share(widths, (width) => width > Math.max(...widths) * 0.8);
  const caseless = share(texts, (text) => /^(?!\p{Lu}|\p{Ll})\p{L}/u.test(text)) > 0.5;
  if (caseless) return full >= 0.7 && mean(texts) >= minChars / 2;
  return full >= 0.6 && mean(texts) >= minChars && share(texts, (text) => /^\p{Ll}/u.test(text)) >= 0.3;
}

/** The last of a line of a column says that it is the last; the gap to the next column goes. */
function endLine(line: readonly TextItem[]): TextItem[] {
  const kept = line.slice(0, line.findLastIndex(isText) + 1);
  return kept.map((item, at) => ({ ...item, hasEOL: at === kept.length - 1 }));
}

const share = <T>(all: readonly T[], holds: (one: T) => boolean): number => all.filter(holds).length / all.length;
const mean = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length, 0) / texts.length;
const isText = (item: TextItem): boolean => item.str.trim() !== '';
const endOf = (item: TextItem): number => xOf(item) + item.width;
