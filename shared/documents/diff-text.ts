import fastDiff from 'fast-diff';
import { gapsBetween } from './common-lines.js';

/** At `at` of the old text `remove` UTF-16 units go and `insert` comes. Changes are in order and do not touch. */
export type TextChange = { at: number; remove: number; insert: string };

/**
 * Comparing character by character costs the product of both lengths at worst, about 40 ns each. So much is compared
 * of one diff, all in all: a third of a second. What is beyond that is replaced line by line.
 */
const maxProduct = 8_000_000;

/** A stretch of more is replaced at once, so that one has not used up what was for many. */
const maxStretch = 4_000_000;

type Piece = [op: -1 | 0 | 1, text: string];

/**
 * The changes that lead from one text to another. Its time is bounded whatever the texts are: long ones are paired by
 * line, what is between is compared by character as far as that takes no time to speak of, and else replaced.
 */
export function diffText(before: string, after: string): TextChange[] {
  return toChanges(diffMiddle(before, after));
}

function diffMiddle(before: string, after: string): Piece[] {
  const shortest = Math.min(before.length, after.length);
  let start = 0;
  while (start < shortest && before[start] === after[start]) start += 1;
  if (splitsPair(before, start) || splitsPair(after, start)) start -= 1;
  let end = 0;
  while (end < shortest - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  if (splitsPair(before, before.length - end) || splitsPair(after, after.length - end)) end -= 1;
  const middle = diffAny(before.slice(start, before.length - end), after.slice(start, after.length - end));
  return [[0, before.slice(0, start)], ...middle, [0, before.slice(before.length - end)]];
}

function diffAny(before: string, after: string): Piece[] {
  const product = before.length * after.length;
  return product <= maxStretch ? diffCharacters(before, after) : diffLines(before, after);
}

const diffCharacters = (before: string, after: string): Piece[] =>
  before === '' || after === '' ? replaced(before, after) : fastDiff(before, after, undefined, true);

function diffLines(before: string, after: string): Piece[] {
  const old = linesOf(before);
  const now = linesOf(after);
  const gaps = gapsBetween(old, now).map(({ before: from, after: to }) => ({
    at: from,
    removed: old.slice(from.from, from.to).join(''),
    inserted: now.slice(to.from, to.to).join(''),
  }));
  const careful = worthComparing(gaps);
  const pieces: Piece[] = [];
  let line = 0;
  for (const gap of gaps) {
    const { at, removed, inserted } = gap;
    pieces.push([0, old.slice(line, at.from).join('')]);
    pieces.push(...(careful.has(gap) ? diffCharacters(removed, inserted) : replaced(removed, inserted)));
    line = at.to;
  }
  return [...pieces, [0, old.slice(line).join('')]];
}

type Changed = { removed: string; inserted: string };

/** The smallest first: of those that are compared there are as many as can be. */
function worthComparing<Each extends Changed>(gaps: readonly Each[]): Set<Each> {
  const product = ({ removed, inserted }: Each): number => removed.length * inserted.length;
  let left = maxProduct;
  const worth = new Set<Each>();
  for (const gap of [...gaps].sort((one, other) => product(one) - product(other))) {
    left -= product(gap);
    if (left < 0 || product(gap) > maxStretch) break;
    worth.add(gap);
  }
  return worth;
}

const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

const replaced = (before: string, after: string): Piece[] =>
  (
    [
      [-1, before],
      [1, after],
    ] satisfies Piece[]
  ).filter(([, text]) => text !== '');

const isHigh = (code: number): boolean => code >= 0xd800 && code < 0xdc00;
const isLow = (code: number): boolean => code >= 0xdc00 && code < 0xe000;
const splitsPair = (text: string, at: number): boolean => isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at));

/** A pair of which one half stays and the other goes is replaced whole: Yjs would put U+FFFD in the place of both. */
function toChanges(pieces: readonly Piece[]): TextChange[] {
  const changes: TextChange[] = [];
  let at = 0;
  let open: TextChange | null = null;
  const replace = (removed: string, inserted: string): void => {
    if (!open) changes.push((open = { at, remove: 0, insert: '' }));
    open.remove += removed.length;
    open.insert += inserted;
    at += removed.length;
  };
  for (const [op, text] of joined(pieces)) {
    if (op === 1) replace('', text);
    else if (op === -1) replace(text, '');
    else {
      const start = isLow(text.charCodeAt(0)) ? 1 : 0;
      const end = isHigh(text.charCodeAt(text.length - 1)) ? text.length - 1 : text.length;
      if (start > 0) replace(text.slice(0, start), text.slice(0, start));
      if (end > start) {
        at += end - start;
        open = null;
      }
      if (end < text.length) replace(text.slice(end), text.slice(end));
    }
  }
  return changes;
}

/** What stays in one piece where it is several in a row, so that no pair is in two of them. */
function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const [op, text] of pieces) {
    const last = result.at(-1);
    if (text === '') continue;
    if (last?.[0] === op) last[1] += text;
    else result.push([op, text]);
  }
  return result;
}

/** The text after `changes`. */
export function applyChanges(text: string, changes: readonly TextChange[]): string {
  let result = '';
  let at = 0;
  for (const change of changes) {
    result += text.slice(at, change.at) + change.insert;
    at = change.at + change.remove;
  }
  return result + text.slice(at);
}
