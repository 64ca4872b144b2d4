import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import iconv from 'iconv-lite';
import { bomOf, wideEncoding } from './byte-order.js';
import { sampleBytes } from './limits.js';
import { guessEncoding } from './guess-encoding.js';
import { completeUtf8, isMixedUtf8, mixedUtf8 } from './mixed-utf8.js';

/** How the bytes of a text are to be read. */
export type Encoding = {
  name: string;
  /** Whether the text has an odd number of quotation marks. */ oddQuotes: boolean;
};

const readBytes = 256 * 1024;

/** How ISO-2022-JP says that Japanese begins. */
const shifts = ['\u001b$B', '\u001b$@'];

/** iconv-lite also knows `base64`, `hex` and the like, which are no encodings of text. */
const declarable =
  /^(windows-|cp-?\d|ibm|iso-?8859|latin|koi8|x?-?s(hift)?[-_]?jis|ms_?kanji|euc|gb|big5|mac|x-mac|ks_c|tis)/;

/** What is declared and what is meant, as browsers have it: Windows and newer standards have added characters. */
const wider: [declared: RegExp, meant: string][] = [
  [/^(iso-?8859-?1|latin-?1)$/, 'windows-1252'],
  [/^(iso-?8859-?9|latin-?5)$/, 'windows-1254'],
  [/^iso-?8859-?11$/, 'windows-874'],
  [/^(gb_?2312(-80)?|gbk|cp-?936)$/, 'gb18030'],
];

/**
 * Finds out the encoding of a text file: its byte order mark, UTF-8 when all of it is valid, what it declares
 * itself, and at last what its bytes look like. Reads the whole file, because one that begins in ASCII may say
 * what it is in its last line.
 *
 * @param declared what the file says of itself, if it does.
 */
export async function encodingOf(path: string, declared?: string): Promise<Encoding> {
  const scan = new Scan();
  const file = await open(path);
  try {
    for await (const bytes of file.createReadStream({ highWaterMark: readBytes, autoClose: false })) {
      scan.add(bytes as Buffer);
    }
  } finally {
    await file.close();
  }
  return { name: scan.encoding(declared), oddQuotes: scan.quotes % 2 === 1 };
}

/** The encoding of bytes that are all in memory. */
export function encodingOfBytes(bytes: Buffer, declared?: string): string {
  const scan = new Scan();
  scan.add(bytes);
  return scan.encoding(declared);
}

class Scan {
  quotes = 0;
  private head = Buffer.alloc(0);
  private carry = Buffer.alloc(0);
  private valid = true;
  private readonly sample: Buffer[] = [];
  private sampled = 0;

  add(bytes: Buffer): void {
    if (this.head.length === 0) this.head = Buffer.from(bytes.subarray(0, 4096));
    for (let at = bytes.indexOf(0x22); at >= 0; at = bytes.indexOf(0x22, at + 1)) this.quotes += 1;
    this.validate(bytes);
    if (this.sampled >= sampleBytes) return;
    const first = bytes.findIndex((byte) => byte >= 0x80 || byte === 0x1b);
    if (first < 0) return;
    // From the beginning of the line: what comes before the first strange byte helps to read it.
    const start = bytes.lastIndexOf(0x0a, first) + 1;
    const some = Buffer.from(bytes.subarray(Math.max(start, first - 200), first + sampleBytes));
    this.sample.push(some);
    this.sampled += some.length;
  }

  private validate(bytes: Buffer): void {
    if (!this.valid) return;
    const all = this.carry.length > 0 ? Buffer.concat([this.carry, bytes]) : bytes;
    const end = completeUtf8(all);
    this.valid = isUtf8(all.subarray(0, end));
    this.carry = Buffer.from(all.subarray(end));
  }

  encoding(declared: string | undefined): string {
    const marked = bomOf(this.head)?.encoding ?? wideEncoding(this.head);
    if (marked) return marked;
    const sample = Buffer.concat(this.sample);
    // ISO-2022-JP is made of ASCII bytes with escapes, and so is valid UTF-8.
    if (shifts.some((shift) => sample.includes(shift))) return 'iso-2022-jp';
    if (this.valid && this.carry.length === 0) return 'utf-8';
    if (isMixedUtf8(sample)) return mixedUtf8;
    // A character cut off at the end of the file, or a few that are broken, are no reason to doubt all the others.
    if (mostlyUtf8(sample)) return 'utf-8';
    const name = declared?.trim().toLowerCase();
    if (name && declarable.test(name) && iconv.encodingExists(name)) {
      return wider.find(([declared]) => declared.test(name))?.[1] ?? name;
    }
    return guessEncoding(sample);
  }
}

/** Whether characters of several bytes are mostly right: in other encodings hardly any is by chance. */
function mostlyUtf8(sample: Buffer): boolean {
  const text = sample.toString();
  const wrong = text.split('\ufffd').length - 1;
  const right = text.replaceAll(/[\0-\u007f\ufffd]/g, '').length;
  return right >= 4 * wrong;
}
