import { decodeFile } from '../decode-file.js';
import { encodingOf } from '../encoding.js';
import { linesOf } from '../lines.js';
import type { Piece } from '../piece.js';
import { markdownPieces } from './markdown-pieces.js';
import type { Source } from './parser.js';

/** Markdown as it was written, with the path of its headings. Streamed: a parser would hold all of it. */
export async function* readMarkdown({ path, size }: Source): AsyncGenerator<Piece> {
  const encoding = await encodingOf(path);
  let done = 0;
  async function* lines(): AsyncGenerator<{ text: string }> {
    for await (const line of linesOf(decodeFile(path, encoding.name))) {
      done = line.bytes / size;
      yield line;
    }
  }
  yield* markdownPieces(lines(), () => done);
}
