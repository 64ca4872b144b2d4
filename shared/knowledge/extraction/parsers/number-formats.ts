import { type Signs, signsOf, withSigns } from './number-signs.js';
import { scanXml } from './xml.js';
import type { Archive } from './zip.js';

/** What a number is shown as; without one it is shown as it is. */
export type NumberFormat =
  { kind: 'date' } | { kind: 'duration' } | { kind: 'percent'; digits: number } | { kind: 'signs'; signs: Signs };

/** The formats that need not be written down because every program knows them. */
const builtIn = new Map<number, NumberFormat>([
  [9, { kind: 'percent', digits: 0 }],
  [10, { kind: 'percent', digits: 2 }],
  [46, { kind: 'duration' }],
  ...[14, 15, 16, 17, 18, 19, 20, 21, 22, 27, 30, 36, 45, 47, 50, 57].map((id) => [id, { kind: 'date' }] as const),
]);

/** For the numbers of cell styles what they make of a number. */
export async function numberFormatsOf(archive: Archive, name: string | undefined): Promise<Map<number, NumberFormat>> {
  const styles = new Map<number, NumberFormat>();
  if (!name) return styles;
  const formats = new Map(builtIn);
  let inCellFormats = false;
  let index = 0;
  await scanXml(archive.read(name), {
    open(tag, { numFmtId, formatCode }) {
      if (tag === 'numFmt') {
        const format = formatOf(formatCode ?? '');
        if (format) formats.set(Number(numFmtId), format);
      } else if (tag === 'cellXfs') inCellFormats = true;
      else if (tag === 'xf' && inCellFormats) {
        const format = formats.get(Number(numFmtId));
        if (format) styles.set(index, format);
        index += 1;
      }
    },
    close(tag) {
      if (tag === 'cellXfs') inCellFormats = false;
    },
  });
  return styles;
}

/** What the letters say outside of quoted text, colours and conditions; of several sections the first is for most. */
function formatOf(code: string): NumberFormat | undefined {
  const [plain = ''] = code.replaceAll(/"[^"]*"|\\.|_./g, '').split(';');
  // Hours, minutes or seconds that count on beyond a day.
  if (/\[(h+|m+|s+)\]/i.test(plain)) return { kind: 'duration' };
  const letters = plain.replaceAll(/\[[^\]]*\]|general/gi, '');
  if (letters.includes('%')) return { kind: 'percent', digits: /\.([0#?]+)/.exec(letters)?.[1]?.length ?? 0 };
  if (/[dmyhs]/i.test(letters)) return { kind: 'date' };
  const signs = signsOf(code);
  return signs && { kind: 'signs', signs };
}

/** A number as a cell of this format shows it. */
export function formatted(value: number, format: NumberFormat | undefined, since1904: boolean): string {
  if (format?.kind === 'date') return dateOf(value, since1904);
  if (format?.kind === 'duration') return durationOf(value);
  if (format?.kind === 'percent') return `${(value * 100).toFixed(Math.min(format.digits, 15))}%`;
  // 15 digits are what Excel shows: 0.1 is stored as 0.10000000000000001.
  const text = String(Number(value.toPrecision(15)));
  return format ? withSigns(text, format.signs) : text;
}

const dayMs = 86_400_000;

/** The day and time that Excel means by a number, as ISO writes it; of less than a day only the time. */
function dateOf(serial: number, since1904: boolean): string {
  // Excel believes that there was a 29 February 1900.
  const days = since1904 ? serial + 1462 : serial < 60 ? serial + 1 : serial;
  const date = new Date(Math.round((days - 25_569) * dayMs));
  if (Number.isNaN(date.getTime())) return String(serial);
  const [day = '', time = ''] = date
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .split('T');
  if (serial >= 0 && serial < 1) return time;
  return time === '00:00:00' ? day : `${day} ${time}`;
}

/** Days as hours, minutes and seconds. */
function durationOf(days: number): string {
  const seconds = Math.round(Math.abs(days) * 86_400);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${days < 0 ? '-' : ''}${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}
