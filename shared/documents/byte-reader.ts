/** Thrown for bytes that are no update; the message says why, for the sender. */
export class MalformedUpdate extends Error {}

/** Reads the encoding that Yjs uses, without making anything of what is read; each function throws MalformedUpdate. */
export type ByteReader = {
  byte(): number;
  uint(): number;
  /** Bytes after their length. */
  bytes(): Uint8Array;
  /** A text after its length. What is not UTF-8 is refused: Yjs would throw in every replica. */
  string(): string;
  atEnd(): boolean;
};

// As lib0 reads: a byte order mark is a character like any other.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function createByteReader(source: Uint8Array): ByteReader {
  let at = 0;

  function byte(): number {
    const value = source[at];
    if (value === undefined) throw new MalformedUpdate('it ends too early');
    at += 1;
    return value;
  }

  function uint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const next = byte();
      value += (next & 127) * factor;
      if (value > Number.MAX_SAFE_INTEGER) throw new MalformedUpdate('a number in it is too large');
      if (next < 128) return value;
      if (factor > 2 ** 49) throw new MalformedUpdate('a number in it is too long');
    }
  }

  function bytes(): Uint8Array {
    const length = uint();
    if (length > source.length - at) throw new MalformedUpdate('it ends too early');
    at += length;
    return source.subarray(at - length, at);
  }

  function string(): string {
    const found = bytes();
    try {
      return decoder.decode(found);
    } catch {
      throw new MalformedUpdate('a text in it is not UTF-8');
    }
  }

  return { byte, uint, bytes, string, atEnd: () => at === source.length };
}
