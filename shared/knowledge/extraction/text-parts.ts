import { createBreather } from '../../text/breather.js';
import { assembleParts } from './assemble-parts.js';
import { cutAt } from './cut-text.js';
import { defaultLimits } from './limits.js';
import type { ExtractedPart, ResumePoint } from './part.js';
import { linesOf } from './lines.js';
import { maxPartChars } from './piece.js';
import { markdownPieces } from './parsers/markdown-pieces.js';

/** In milliseconds: a text of nothing but headings takes seconds. */
const breathMs = 10;

/**
 * The parts of a text that is not in a file: the content of an entry or a document, which may be Markdown. Needs
 * no process of its own, since nothing is decoded or unpacked.
 *
 * @param from where to begin: the `resume` of the last part that was kept.
 */
export async function* partsOfText(content: string, from?: ResumePoint): AsyncGenerator<ExtractedPart> {
  const breathe = createBreather(breathMs);
  let rest = content;
  async function* texts(): AsyncGenerator<{ text: string }> {
    while (rest) {
      const end = cutAt(rest, maxPartChars);
      yield { text: rest.slice(0, end) };
      rest = rest.slice(end);
      await breathe();
    }
  }
  const pieces = markdownPieces(linesOf(texts()), () => 1 - rest.length / content.length);
  for await (const part of assembleParts(pieces, { textChars: defaultLimits.textChars, from, beganAtPage: false })) {
    yield part;
    await breathe();
  }
}
