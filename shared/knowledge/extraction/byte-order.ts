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

/** UTF-16 and UTF-32 without a mark. */
export function wideEncoding(head: Buffer): 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be' | undefined {
  return widestEncoding(head) ?? pairedEncoding(head);
}

/** UTF-32: each character has a byte that is zero and one that nearly always is, and few are no text. */
function widestEncoding(head: Buffer): 'utf-32le' | 'utf-32be' | undefined {
  const length = Math.min(head.length - (head.length % 4), 4096);
  if (length < 8) return undefined;
  for (const encoding of ['utf-32le', 'utf-32be'] as const) {
    const [highest, higher] = encoding === 'utf-32le' ? [3, 2] : [0, 1];
    let rare = 0;
    let controls = 0;
    for (let at = 0; at < length && rare !== Infinity; at += 4) {
      const upper = head[at + higher] ?? 0;
      const code = encoding === 'utf-32le' ? head.readUInt32LE(at) : head.readUInt32BE(at);
      if (head[at + highest] !== 0 || upper > 0x10) rare = Infinity;
      else if (upper > 0) rare += 1;
      if (code < 0x20 && !(code >= 0x09 && code <= 0x0d)) controls += 1;
    }
    if (rare <= length / 40 && controls <= (length / 4) * maxControlShare) return encoding;
  }
  return undefined;
}

/**
 * UTF-16 without a mark: every other byte of ordinary text is the same few values, often zero. Chinese, Japanese and
 * Korean have few zeros, but characters of their own as hardly anything else has.
 */
function pairedEncoding(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
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
