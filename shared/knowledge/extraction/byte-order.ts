const boms = [
  { encoding: 'utf-32le', bytes: [0xff, 0xfe, 0, 0] },
  { encoding: 'utf-32be', bytes: [0, 0, 0xfe, 0xff] },
  { encoding: 'utf-8', bytes: [0xef, 0xbb, 0xbf] },
  { encoding: 'utf-16le', bytes: [0xff, 0xfe] },
  { encoding: 'utf-16be', bytes: [0xfe, 0xff] },
];

/** The byte order mark that `head` begins with. */
export function bomOf(head: Buffer): { encoding: string } | undefined {
  return boms.find(({ bytes }) => bytes.every((byte, index) => head[index] === byte));
}

/**
 * UTF-16 without a mark: every other byte of ordinary text is the same few values, often zero. Chinese, Japanese and
 * Korean have few zeros, but characters of their own as hardly anything else has.
 */
export function wideEncoding(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  const length = Math.min(head.length - (head.length % 2), 4096);
  if (length < 4) return undefined;
  let evenZeros = 0;
  let oddZeros = 0;
  for (let index = 0; index < length; index += 2) {
    if (head[index] === 0) evenZeros += 1;
    if (head[index + 1] === 0) oddZeros += 1;
  }
  const pairs = length / 2;
  if (evenZeros < pairs / 2 && oddZeros < pairs / 2 && isAsciiButZeros(head.subarray(0, length))) return undefined;
  // Line ends and spaces are zeros on one side even in text that has no Latin letter.
  // A few on the other side are letters like Ā (0x0100) or wide spaces (0x2000).
  if (oddZeros > pairs * 0.05 && evenZeros <= oddZeros * 0.02) return 'utf-16le';
  if (evenZeros > pairs * 0.05 && oddZeros <= evenZeros * 0.02) return 'utf-16be';
  // Any text of single bytes can be read as Chinese: only what can be no such text is tried.
  const bytes = head.subarray(0, length);
  if (controlShare(bytes) <= maxControlShare) return undefined;
  if (isEastAsian(bytes.toString('utf16le'))) return 'utf-16le';
  return isEastAsian(Buffer.from(bytes).swap16().toString('utf16le')) ? 'utf-16be' : undefined;
}

/** Text of single bytes with a few zeros in it, as programs write that pad fields: of wide text more would be zeros. */
function isAsciiButZeros(bytes: Buffer): boolean {
  const others = bytes.filter((byte) => byte !== 0);
  const printable = others.filter((byte) => (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d));
  return printable.length >= others.length * 0.98;
}

/** Text of single bytes has hardly any control characters. */
export const maxControlShare = 0.005;

/** The share of bytes that are control characters, other than those that stand in text. */
export function controlShare(bytes: Buffer): number {
  let controls = 0;
  for (const byte of bytes) {
    // Bell and backspace, which terminals are sent; tab, line feed, vertical tab, form feed, carriage return; escape
    // begins the shifts of ISO-2022-JP and colours, and DOS ends a text with 1A.
    if ((byte < 0x20 && !(byte >= 0x07 && byte <= 0x0d) && byte !== 0x1a && byte !== 0x1b) || byte === 0x7f)
      controls += 1;
  }
  return controls / Math.max(1, bytes.length);
}

/** Whether nearly all are such as stand in texts that hardly use spaces, Chinese to Thai. Of random bytes half are. */
function isEastAsian(text: string): boolean {
  const usual = text.match(
    /[\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff00-\uffef\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2010-\u2026\t\n\r -~]/g,
  );
  return text.length >= 8 && (usual?.length ?? 0) >= text.length * 0.95;
}
