import { bomOf, wideEncoding } from '../byte-order.js';
import { decodeBytes } from '../decode-file.js';

/** The mails in the bytes of a file: one, or those of a mailbox as many programs keep and export it (mbox). */
export function mailsIn(file: Buffer): Buffer[] {
  const bytes = inSingleBytes(file);
  if (!bytes.subarray(0, fromLine.length).equals(fromLine)) return [bytes];
  const starts = [0];
  for (let at = bytes.indexOf(nextFromLine); at >= 0; at = bytes.indexOf(nextFromLine, at + 1)) {
    if (isStart(bytes, at + 1)) starts.push(at + 1);
  }
  return starts.map((start, index) => afterLine(bytes.subarray(start, starts[index + 1])));
}

const fromLine = Buffer.from('From ');
const nextFromLine = Buffer.from('\nFrom ');

/** Mails are ASCII with bytes in it: one that was saved as UTF-16, or with a mark of its byte order, is made so. */
function inSingleBytes(bytes: Buffer): Buffer {
  const encoding = bomOf(bytes)?.encoding ?? wideEncoding(bytes);
  return encoding ? Buffer.from(decodeBytes(bytes, encoding).replace(/^\ufeff/, '')) : bytes;
}

/** A sentence may begin with "From" too: a mail begins after an empty line, and goes on with a header. */
function isStart(bytes: Buffer, at: number): boolean {
  const before = bytes.subarray(Math.max(0, at - 4), at).toString('latin1');
  const after = afterLine(bytes.subarray(at, at + 2_000)).subarray(0, 100);
  return /\n\r?\n$/.test(before) && /^[\w-]+[ \t]*:/.test(after.toString('latin1'));
}

function afterLine(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0x0a);
  return end < 0 ? bytes.subarray(bytes.length) : bytes.subarray(end + 1);
}
