import { cutAt } from '../cut-text.js';
import { declaredAsXml } from '../declared-encoding.js';
import { decodeFile } from '../decode-file.js';
import { encodingOf } from '../encoding.js';
import { maxPartChars, type Piece } from '../piece.js';
import type { Source } from './parser.js';

/** Plain text, cut between paragraphs where that is possible. */
export async function* readText({ path, size }: Source): AsyncGenerator<Piece> {
  const encoding = await encodingOf(path, await declaredAsXml(path));
  let pending = '';
  let done = 0;
  for await (const { text, bytes } of decodeFile(path, encoding.name)) {
    done = bytes / size;
    pending += text;
    while (pending.length >= 2 * maxPartChars) {
      const end = cutAt(pending, maxPartChars - 2);
      yield { headingPath: [], text: pending.slice(0, end), done };
      pending = pending.slice(end);
    }
  }
  while (pending) {
    const end = cutAt(pending, maxPartChars - 2);
    yield { headingPath: [], text: pending.slice(0, end), done };
    pending = pending.slice(end);
  }
}
