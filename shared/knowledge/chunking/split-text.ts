import { wholeCharacter } from '../extraction/cut-text.js';

/** How long passages are, in UTF-16 code units. */
export type Sizes = {
  max: number;
  /** A section shorter than this is put together with the next one of the same page. */
  min: number;
  overlap: number;
};

/** Some 300 tokens either way: a Chinese, Japanese or Korean character is about one. */
const western: Sizes = { max: 1_500, min: 400, overlap: 150 };
const eastern: Sizes = { max: 600, min: 160, overlap: 60 };

const easternLetters = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/gu;
const easternShare = 0.25;
const sampleChars = 4_000;

/** The sizes for the script of `text`. */
export function sizesFor(text: string): Sizes {
  const sample = text.slice(0, sampleChars);
  return (sample.match(easternLetters)?.length ?? 0) > sample.length * easternShare ? eastern : western;
}

/** A passage of a text: from `start` up to `end`. */
export type Span = { start: number; end: number };

/**
 * Cuts a text into passages of about the same length at the best places: paragraphs, sentences, lines, words. In
 * running text a passage begins with the last sentence of the one before it, if that is short. White space
 * around a passage belongs to none.
 */
export function splitText(text: string, sizes: Sizes): Span[] {
  const spans: Span[] = [];
  const table = / \| /.test(text.slice(0, text.indexOf('\n') >>> 0));
  let start = 0;
  while (start < text.length) {
    const left = text.length - start;
    // Two halves rather than a long piece and a scrap.
    const length =
      left <= sizes.max ? left : Math.min(sizes.max, Math.max(sizes.min, Math.ceil(left / 2) + sizes.overlap));
    const limit = start + length;
    const end = limit >= text.length ? text.length : breakBefore(text, start, limit, table);
    const span = trimmed(text, start, end);
    if (span.end > span.start) spans.push(span);
    if (end >= text.length) break;
    start = table ? end : Math.max(start + 1, overlapFrom(text, end, sizes.overlap, start));
  }
  return spans;
}

const sentenceEnd = /[.!?…]["'”’»)\]]*\s+|[。！？｡．][」』”）]*|\n\n+/g;

function breakBefore(text: string, start: number, limit: number, table: boolean): number {
  const from = start + Math.floor((limit - start) / 2);
  const window = text.slice(from, limit);
  const last = (found: number, length: number): number | undefined => (found < 0 ? undefined : from + found + length);
  const line = last(window.lastIndexOf('\n'), 1);
  return (
    last(window.lastIndexOf('\n\n'), 2) ??
    (table ? line : undefined) ??
    lastSentence(window, from) ??
    line ??
    last(window.lastIndexOf(' '), 1) ??
    wholeCharacter(text, limit)
  );
}

function lastSentence(window: string, from: number): number | undefined {
  let end: number | undefined;
  for (const match of window.matchAll(sentenceEnd)) end = from + match.index + match[0].length;
  return end;
}

/** Where the last short sentence before `end` begins; `end` when there is none. */
function overlapFrom(text: string, end: number, overlap: number, start: number): number {
  const from = Math.max(start + 1, end - overlap);
  for (const match of text.slice(from, end).matchAll(sentenceEnd)) {
    const begin = from + match.index + match[0].length;
    if (begin < end) return begin;
  }
  return end;
}

function trimmed(text: string, start: number, end: number): Span {
  const passage = text.slice(start, end);
  const leading = passage.length - passage.trimStart().length;
  return { start: start + leading, end: start + Math.max(leading, passage.trimEnd().length) };
}
