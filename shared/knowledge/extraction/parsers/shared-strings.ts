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
      else if (tag === 'si') strings.push(withoutEscapes(current));
    },
  });
  return strings;
}

/** Excel writes what XML cannot hold, and programs that imitate it every line end, as the number of the character. */
export function withoutEscapes(text: string): string {
  return text.replaceAll(/_x([\dA-F]{4})_/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
