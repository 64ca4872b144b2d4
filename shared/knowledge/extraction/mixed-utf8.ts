import iconv from 'iconv-lite';

/** UTF-8 with letters of Windows among it, as texts have that were put together from several files. */
export const mixedUtf8 = 'utf-8 or windows-1252';

/** A character of several bytes in UTF-8, of bytes that are each written as one character. */
const character =
  /[\u00c2-\u00df][\u0080-\u00bf]|\u00e0[\u00a0-\u00bf][\u0080-\u00bf]|[\u00e1-\u00ef][\u0080-\u00bf]{2}|\u00f0[\u0090-\u00bf][\u0080-\u00bf]{2}|[\u00f1-\u00f3][\u0080-\u00bf]{3}|\u00f4[\u0080-\u008f][\u0080-\u00bf]{2}/g;
/** Letters and signs of Western Europe: in texts of single bytes hardly any two or three bytes are one by chance. */
const western = /[\u00a0-\u017f\u2010-\u2026\u20ac]/;

const high = /[\u0080-\u00ff]/g;
const beside = /[\u0080-\u00ff]{2,}/g;

/** Whether Western letters are written in both ways: all other encodings that UTF-8 is mixed with are rare. */
export function isMixedUtf8(sample: Buffer): boolean {
  let right = 0;
  const rest = sample.toString('latin1').replaceAll(character, (bytes) => {
    if (western.test(Buffer.from(bytes, 'latin1').toString())) right += 1;
    return ' ';
  });
  const wrong = rest.match(high)?.length ?? 0;
  // Letters of other scripts, and the bytes of wider characters, stand beside one another.
  const together = (rest.match(beside) ?? []).join('').length;
  const enough = right >= 4 && right * 2 >= wrong;
  return enough || (right > 0 && right * 10 >= wrong && together <= wrong * 0.7);
}

export function mixedUtf8Decoder(): { write(bytes: Buffer): string; end(): string | undefined } {
  let carry = Buffer.alloc(0);
  return {
    write(bytes) {
      const all = carry.length > 0 ? Buffer.concat([carry, bytes]) : bytes;
      const end = completeUtf8(all);
      carry = Buffer.from(all.subarray(end));
      return all
        .subarray(0, end)
        .toString('latin1')
        .replaceAll(anything, (some) =>
          some.length > 1
            ? Buffer.from(some, 'latin1').toString()
            : iconv.decode(Buffer.from(some, 'latin1'), 'windows-1252'),
        );
    },
    // A character that was cut off with the file.
    end: () => (carry.length > 0 ? '\ufffd' : undefined),
  };
}

const anything = new RegExp(`${character.source}|${high.source}`, 'g');

/** Where the last complete UTF-8 character ends. */
export function completeUtf8(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) {
      const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return wanted > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}
