import { lineOf } from './table.js';

const maxColumns = 1_000;
const maxSpan = 1_000;

/** Builds the rows of one table: a cell that spans several rows or columns keeps the others in their places. */
export function rowBuilder(): {
  begin(): void;
  cell(attributes: Record<string, string>): void;
  /** Lets the cell just begun span so many columns. */
  widen(columns: number): void;
  /** Leaves so many columns empty. */
  skip(columns: number): void;
  add(text: string): void;
  /** The row in one line. */
  end(): string;
} {
  /** For each column, how many of the next rows are taken by a cell above. */
  let taken: number[] = [];
  let next: number[] = [];
  let cells: string[] = [];
  let at = -1;

  return {
    begin() {
      cells = [];
      at = -1;
      next = taken.map((rows) => Math.max(0, rows - 1));
    },
    cell({ colspan, rowspan }) {
      while (cells.length < maxColumns && (taken[cells.length] ?? 0) > 0) cells.push('');
      if (cells.length >= maxColumns) return;
      at = cells.length;
      const rows = spanOf(rowspan) - 1;
      for (let column = 0; column < spanOf(colspan) && cells.length < maxColumns; column += 1) {
        if (rows > 0) next[cells.length] = rows;
        cells.push('');
      }
      for (let column = 0; column < next.length; column += 1) next[column] ??= 0;
    },
    widen(columns) {
      for (let more = 1; more < columns && cells.length < maxColumns; more += 1) cells.push('');
    },
    skip(columns) {
      for (let more = 0; more < columns && cells.length < maxColumns; more += 1) cells.push('');
    },
    add(text) {
      if (at < 0) this.cell({});
      cells[at] = `${cells[at] ?? ''} ${text}`.trim();
    },
    end() {
      taken = next;
      return lineOf(cells);
    },
  };
}

function spanOf(value: string | undefined): number {
  const span = Number.parseInt(value ?? '1', 10);
  return span >= 1 ? Math.min(span, maxSpan) : 1;
}
