import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { xlsxOf } from '../../support/small-files.js';

const syllables = 'ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo ya zen'.split(' ');
const wordOf = (n: number): string => {
  let word = '';
  for (let rest = n; word === '' || rest > 0; rest = Math.floor(rest / syllables.length)) {
    word += syllables[rest % syllables.length] ?? '';
  }
  return word;
};

/** A sentence that no other number gives. */
function sentence(n: number): string {
  const words = Array.from({ length: 12 }, (_, at) => wordOf((Math.imul(n + 1, 2_654_435_761) >>> (at % 16)) % 9_000));
  return `In case ${wordOf(n)} number${n} the ${words.join(' ')} was found.`;
}

/**
 * Writes a text of about `bytes` bytes, in paragraphs, of which no two are alike.
 *
 * @returns a word that stands in its last paragraph alone.
 */
export async function writeLongText(path: string, bytes: number): Promise<string> {
  const file = createWriteStream(path);
  let written = 0;
  for (let n = 0; written < bytes; n += 1) {
    const text = `${sentence(n)}${n % 5 === 4 ? '\n\n' : ' '}`;
    written += text.length;
    if (!file.write(text)) await once(file, 'drain');
  }
  const last = 'lastwordofall';
  file.end(`The end is the ${last}.\n`);
  await finished(file);
  return last;
}

/** A workbook whose table of texts takes far more memory than one file may have. */
export function greedyWorkbook(): Buffer {
  const texts = Array.from({ length: 6_000_000 }, (_, index) => `<si><t>text number ${index} of many</t></si>`);
  return xlsxOf('<row><c r="A1" t="s"><v>1</v></c></row>', { strings: texts.join('') });
}
