import { scanXml } from './xml.js';
import type { Archive } from './zip.js';

/** The texts that cells refer to by number. */
export async function sharedStringsOf(archive: Archive, name: string | undefined): Promise<string[]> {
  const strings: string[] = [];
  if (!name) return strings;
  let current = '';
  let inText = false;
  let phonetic = false;
  await scanXml(archive.read(name), {
    open(tag) {
      if (tag === 'si') current = '';
      // How a Japanese word is read stands beside it, and would be taken for a part of it.
      else if (tag === 'rPh') phonetic = true;
      else if (tag === 't') inText = !phonetic;
    },
    text(text) {
      if (inText) current += text;
    },
    close(tag) {
      if (tag === 't') inText = false;
      else if (tag === 'rPh') phonetic = false;
      else if (tag === 'si') strings.push(current);
    },
  });
  return strings;
}

const builtInDates = new Set([14, 15, 16, 17, 18, 19, 20, 21, 22, 27, 30, 36, 45, 46, 47, 50, 57]);

/** The numbers of the cell styles that show a number as a date or a time. */
export async function dateStylesOf(archive: Archive, name: string | undefined): Promise<Set<number>> {
  const styles = new Set<number>();
  if (!name) return styles;
  const dateFormats = new Set(builtInDates);
  let inCellFormats = false;
  let index = 0;
  await scanXml(archive.read(name), {
    open(tag, { numFmtId, formatCode }) {
      if (tag === 'numFmt' && isDateFormat(formatCode ?? '')) dateFormats.add(Number(numFmtId));
      else if (tag === 'cellXfs') inCellFormats = true;
      else if (tag === 'xf' && inCellFormats) {
        if (dateFormats.has(Number(numFmtId))) styles.add(index);
        index += 1;
      }
    },
    close(tag) {
      if (tag === 'cellXfs') inCellFormats = false;
    },
  });
  return styles;
}

/** Letters of dates outside of quoted text, colours and conditions. */
function isDateFormat(code: string): boolean {
  return /[dmyhs]/i.test(code.replaceAll(/"[^"]*"|\\.|\[[^\]]*\]|general/gi, ''));
}

const dayMs = 86_400_000;

/** The day and time that Excel means by a number, as ISO writes it. */
export function dateOf(serial: number, since1904: boolean): string {
  // Excel believes that there was a 29 February 1900.
  const days = since1904 ? serial + 1462 : serial < 60 ? serial + 1 : serial;
  const date = new Date(Math.round((days - 25_569) * dayMs));
  if (Number.isNaN(date.getTime())) return String(serial);
  const [day = '', time = ''] = date
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .split('T');
  if (days < 2 && serial < 1) return time;
  return time === '00:00:00' ? day : `${day} ${time}`;
}
