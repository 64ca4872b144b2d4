import { decodeFile } from '../decode-file.js';
import { declaredEncoding } from '../declared-encoding.js';
import { encodingOf } from '../encoding.js';
import { type HtmlBlock, htmlBlocks } from '../html-blocks.js';
import { type Piece, sections } from '../piece.js';
import type { Source } from './parser.js';

/** How much of the text must stand in the main element for the rest to be left out. */
const mainShare = 0.3;

/** The main text of a web page. Read twice: only in the end is it known whether it marks its main part. */
export async function* readHtml({ path, size, onAdvance }: Source): AsyncGenerator<Piece> {
  const encoding = await encodingOf(path, await declaredEncoding(path));
  const chars = { all: 0, main: 0 };
  let titled = false;
  for await (const { text, level, main } of htmlBlocks(decodeFile(path, encoding.name))) {
    onAdvance();
    chars.all += text.length;
    if (main) chars.main += text.length;
    titled ||= main && level === 1;
  }
  const mainOnly = chars.main > chars.all * mainShare;
  // Many pages have their title above their main part.
  const isWanted = ({ main, level }: HtmlBlock): boolean => !mainOnly || main || (!titled && level === 1);
  let done = 0;
  async function* pieces(): AsyncGenerator<{ text: string }> {
    for await (const { text, bytes } of decodeFile(path, encoding.name)) {
      done = bytes / size;
      yield { text };
    }
  }
  async function* wanted(): AsyncGenerator<HtmlBlock> {
    for await (const block of htmlBlocks(pieces())) if (isWanted(block)) yield block;
  }
  yield* sections(wanted(), () => done);
}
