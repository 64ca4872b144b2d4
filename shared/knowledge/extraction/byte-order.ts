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

/** UTF-16 without a mark: every other byte of ordinary text is the same few values, often zero. */
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
  // Line ends and spaces are zeros on one side even in text that has no Latin letter.
  if (oddZeros > pairs * 0.05 && evenZeros === 0) return 'utf-16le';
  if (evenZeros > pairs * 0.05 && oddZeros === 0) return 'utf-16be';
  return undefined;
}
