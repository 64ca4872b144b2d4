import { decodeBytes } from '../decode-file.js';
import type { InnerFile } from './parser.js';

const signature = 0x223e9f78;
/** Attributes of a message (MS-OXTNEF). */
const body = 0x800c;
const codePage = 0x9007;
const newFile = 0x9002;
const title = 0x8010;
const data = 0x800f;
const fileProperties = 0x9005;
/** The name of a file as it was, where the title has it in eight letters and an ending. */
const longName = 0x3707;

/** What a `winmail.dat` holds. */
export type Tnef = { text: string; files: InnerFile[] };

/**
 * What Outlook packs into a `winmail.dat` when it takes who it writes to for Outlook, too: the files that came with the
 * mail, and its text. Undefined where it is none.
 */
export function readTnef(bytes: Buffer): Tnef | undefined {
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== signature) return undefined;
  let encoding = 'windows-1252';
  let text = '';
  const files: { name: string; content: Uint8Array }[] = [];
  const wordsOf = (value: Buffer): string => decodeBytes(value, encoding).replace(/\0.*$/s, '');
  for (const { id, value } of attributesOf(bytes)) {
    const file = files.at(-1);
    if (id === codePage && value.length >= 4) encoding = encodings[value.readUInt32LE(0)] ?? encoding;
    else if (id === body) text = wordsOf(value);
    else if (id === newFile) files.push({ name: '', content: Buffer.alloc(0) });
    else if (file && id === title) file.name ||= wordsOf(value);
    else if (file && id === data) file.content = value;
    else if (file && id === fileProperties) file.name = nameIn(value, wordsOf) ?? file.name;
  }
  const named = files.map(({ name, content }) => ({ name: name || 'attachment', content }));
  return { text, files: named.filter(({ content }) => content.length > 0) };
}

const encodings: Record<number, string> = {
  874: 'windows-874',
  932: 'shift_jis',
  936: 'gb18030',
  949: 'euc-kr',
  950: 'big5',
  ...Object.fromEntries(Array.from({ length: 9 }, (_, index) => [1250 + index, `windows-${1250 + index}`])),
};

/** A level, what it is, its length, its value, and a sum of that. */
function* attributesOf(bytes: Buffer): Generator<{ id: number; value: Buffer }> {
  for (let at = 6; at + 9 <= bytes.length;) {
    const end = at + 9 + bytes.readUInt32LE(at + 5);
    if (end > bytes.length) return;
    yield { id: bytes.readUInt16LE(at + 1), value: bytes.subarray(at + 9, end) };
    at = end + 2;
  }
}

/** How long the values of a property are, by its type; others say it themselves. */
const sizes: Record<number, number> = {
  2: 4,
  3: 4,
  4: 4,
  5: 8,
  6: 8,
  7: 8,
  0x0a: 4,
  0x0b: 4,
  0x14: 8,
  0x40: 8,
  0x48: 16,
};
const single = 0x1e;
const wide = 0x1f;
const several = 0x1000;

/** The long name among the properties of a file; reading them ends where they make no sense. */
function nameIn(bytes: Buffer, wordsOf: (value: Buffer) => string): string | undefined {
  try {
    let at = 4;
    const next = (): number => bytes.readUInt32LE((at += 4) - 4);
    for (let left = bytes.readUInt32LE(0); left > 0; left -= 1) {
      const kind = next();
      const type = kind & 0xffff;
      const id = kind >>> 16;
      if (id >= 0x8000) {
        at += 16;
        const kindOfName = next();
        const nameLength = kindOfName === 0 ? 4 : next();
        at += padded(nameLength);
      }
      const size = sizes[type & ~several];
      let values = size === undefined || (type & several) !== 0 ? next() : 1;
      for (; values > 0; values -= 1) {
        const length = size ?? next();
        if (at + length > bytes.length) return undefined;
        const value = bytes.subarray(at, at + length);
        if (id === longName && type === wide) return value.toString('utf16le').replace(/\0.*$/s, '');
        if (id === longName && type === single) return wordsOf(value);
        at += padded(length);
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

const padded = (length: number): number => length + ((4 - (length % 4)) % 4);
