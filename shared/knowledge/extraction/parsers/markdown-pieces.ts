import { type Block, type Piece, sections } from '../piece.js';
import { markSettings } from './front-matter.js';

/** The sections of a text in Markdown, given line by line. */
export async function* markdownPieces(
  lines: AsyncIterable<{ text: string }>,
  done: () => number,
): AsyncGenerator<Piece> {
  for await (const piece of sections(markdownBlocks(lines), done)) {
    yield { ...piece, headingPath: piece.headingPath.map(titleOf) };
  }
}

/** The text is kept as it is; in the path the signs of Markdown would be noise. */
function titleOf(line: string): string {
  return line
    .replace(/^ {0,3}#{1,6}(?:[ \t]+|$)/, '')
    .replace(/[ \t]+#+[ \t]*$/, '')
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[ \t]*\{[#.][^{}]*\}[ \t]*$/, '')
    .replaceAll(/(?<!\\)(?:[*`]|~~)/g, '')
    .replaceAll(/(?<![\p{L}\p{N}\\])_+([^_]+)_+(?![\p{L}\p{N}])/gu, '$1')
    .replaceAll(/\\([!-/:-@[-`{-~])/g, '$1')
    .trim();
}

/** Each line as a block; a heading (`# …`, or a line underlined with = or -) says its level. */
async function* markdownBlocks(lines: AsyncIterable<{ text: string }>): AsyncGenerator<Block> {
  let held: string | undefined;
  let fence: string | undefined;
  for await (const { text: line, settings } of markSettings(lines)) {
    const mark = settings ? undefined : /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark && !fence) fence = mark;
    else if (mark && fence && mark.startsWith(fence)) fence = undefined;
    const underline = !settings && !fence && held?.trim() ? /^ {0,3}(=+|-{2,})\s*$/.exec(line)?.[1] : undefined;
    if (underline && held && !/^ {0,3}([-*+>|#]|\d+[.)])/.test(held)) {
      yield { text: held, level: underline.startsWith('=') ? 1 : 2 };
      held = line;
      continue;
    }
    if (held !== undefined) yield { text: held };
    held = undefined;
    const level = fence || settings ? undefined : /^ {0,3}(#{1,6})([ \t]|$)/.exec(line)?.[1]?.length;
    if (level !== undefined) yield { text: line, level };
    else held = line;
  }
  if (held !== undefined) yield { text: held };
}
