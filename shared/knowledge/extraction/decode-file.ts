import { createReadStream } from 'node:fs';
import iconv from 'iconv-lite';
import { mixedUtf8, mixedUtf8Decoder } from './mixed-utf8.js';

const readBytes = 128 * 1024;

/** The text of a file in pieces, with the number of bytes read so far. */
export async function* decodeFile(path: string, encoding: string): AsyncGenerator<{ text: string; bytes: number }> {
  const decoder = decoderOf(encoding);
  let bytes = 0;
  for await (const buffer of createReadStream(path, { highWaterMark: readBytes })) {
    bytes += (buffer as Buffer).length;
    const text = decoder.write(buffer as Buffer);
    if (text) yield { text, bytes };
  }
  const text = decoder.end();
  if (text) yield { text, bytes };
}

/** The text of bytes that are all in memory. */
export function decodeBytes(bytes: Buffer, encoding: string): string {
  const decoder = decoderOf(encoding);
  return decoder.write(bytes) + (decoder.end() ?? '');
}

type Decoder = { write(bytes: Buffer): string; end(): string | undefined };

function decoderOf(encoding: string): Decoder {
  if (encoding === mixedUtf8) return mixedUtf8Decoder();
  // iconv-lite does not have the one, and knows no euro sign in the other.
  if (encoding !== 'iso-2022-jp' && encoding !== 'macintosh') return iconv.getDecoder(encoding);
  const decoder = new TextDecoder(encoding);
  return { write: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() };
}
