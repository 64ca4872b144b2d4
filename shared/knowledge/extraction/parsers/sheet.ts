import type { EmbeddedObject } from './embedded.js';
import { referenceOf } from './relations.js';
import { withoutEscapes } from './shared-strings.js';
import { readXml } from './xml.js';
import { formatted, type NumberFormat } from './number-formats.js';

/** What the cells of a sheet refer to. */
export type Workbook = { strings: string[]; formats: ReadonlyMap<number, NumberFormat>; since1904: boolean };

type Cell = { column: number; type: string; style: number; value: string; formula: string };

const maxColumns = 16_384;
/** More columns in a row that are empty are left out: a cell at the far end would make a line of bars. */
const maxGap = 16;

/**
 * The rows of a sheet, a few at a time; a cell stands at the place of its column.
 *
 * @param onObject told what is embedded in the sheet.
 */
export async function* readSheet(
  bytes: AsyncIterable<Buffer>,
  workbook: Workbook,
  onObject: (object: EmbeddedObject) => void,
): AsyncGenerator<string[][]> {
  const rows: string[][] = [];
  let row: string[] = [];
  /** The column after the last cell. */
  let next = 0;
  let cell: Cell = { column: 0, type: '', style: 0, value: '', formula: '' };
  let inValue = false;
  let inFormula = false;
  const steps = readXml(bytes, {
    open(tag, attributes) {
      if (tag === 'row') {
        row = [];
        next = 0;
      } else if (tag === 'c') {
        const column = columnOf(attributes.r) ?? next;
        cell = { column, type: attributes.t ?? 'n', style: Number(attributes.s ?? -1), value: '', formula: '' };
      } else if (tag === 'v' || tag === 't') inValue = true;
      else if (tag === 'f') inFormula = true;
      else if (tag === 'rPh') inValue = false;
      else if (tag === 'oleObject') onObject({ program: attributes.progId ?? '', id: referenceOf(attributes) });
    },
    text(text) {
      if (inValue) cell.value += text;
      else if (inFormula) cell.formula += text;
    },
    close(tag) {
      if (tag === 'v' || tag === 't') inValue = false;
      else if (tag === 'f') inFormula = false;
      else if (tag === 'c' && cell.column < maxColumns) {
        const gap = Math.min(maxGap, cell.column - next);
        for (let empty = 0; empty < gap; empty += 1) row.push('');
        row.push(valueOf(cell, workbook));
        next = cell.column + 1;
      } else if (tag === 'row') rows.push(row);
    },
  });
  for await (const _ of steps) {
    if (rows.length > 0) yield rows.splice(0);
  }
}

/** From `AB12` the number of its column, from 0. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = /^[A-Z]{1,3}/.exec(reference ?? '')?.[0];
  if (!letters) return undefined;
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}

function valueOf({ type, style, value, formula }: Cell, workbook: Workbook): string {
  // Programs that write formulas without working them out leave no value.
  if (value === '') return formula ? `=${formula}` : '';
  if (type === 's') return workbook.strings[Number(value)] ?? '';
  if (type === 'b') return value === '1' ? 'TRUE' : 'FALSE';
  if (type !== 'n') return withoutEscapes(value);
  const number = Number(value);
  if (!Number.isFinite(number)) return value;
  return formatted(number, workbook.formats.get(style), workbook.since1904);
}
