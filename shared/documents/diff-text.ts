import fastDiff from 'fast-diff';

/** At `at` of the old text `remove` UTF-16 units go and `insert` comes. Changes are in order and do not touch. */
export type TextChange = { at: number; remove: number; insert: string };

/** Comparing character by character costs the product of both lengths at worst; above this it is done by lines. */
const maxProduct = 4_000_000;

/** Lines that are numbered by one character each; a text of more different ones is replaced as a whole. */
const maxLines = 50_000;

type Piece = [op: -1 | 0 | 1, text: string];

/**
 * The changes that lead from one text to another. Its time is bounded whatever the texts are: similar ones are
 * compared by character, others by line, and what has nothing in common is replaced.
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
  if (before === '' || after === '') return replaced(before, after);
  if (before.length * after.length <= maxProduct) return fastDiff(before, after, undefined, true);
  return diffLines(before, after);
}

/** As a text of one character a line, which is short enough to be compared; changed lines then by character again. */
function diffLines(before: string, after: string): Piece[] {
  const numbers = new Map<string, string>();
  const encode = (text: string): string | null => {
    const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    let encoded = '';
    for (const line of lines) {
      const known = numbers.get(line) ?? String.fromCharCode(numberOf(numbers.size));
      numbers.set(line, known);
      encoded += known;
    }
    return numbers.size > maxLines ? null : encoded;
  };
  const one = encode(before);
  const other = encode(after);
  if (one === null || other === null || one.length * other.length > 16 * maxProduct) return replaced(before, after);
  const lineOf = new Map([...numbers].map(([line, number]) => [number, line]));
  const decode = (text: string): string => [...text].map((number) => lineOf.get(number) ?? '').join('');
  const pieces: Piece[] = [];
  let removed = '';
  let added = '';
  const flush = (): void => {
    const small = removed.length * added.length <= maxProduct && removed !== '' && added !== '';
    pieces.push(...(small ? diffAny(removed, added) : replaced(removed, added)));
    removed = added = '';
  };
  for (const [op, text] of fastDiff(one, other)) {
    if (op === -1) removed += decode(text);
    else if (op === 1) added += decode(text);
    else {
      flush();
      pieces.push([0, decode(text)]);
    }
  }
  flush();
  return pieces;
}

/** Surrogates are left out: two that meet would be taken for one character. */
const numberOf = (index: number): number => (index < 0xd7ff ? index + 1 : index + 1 + 0x800);

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

function toChanges(pieces: Piece[]): TextChange[] {
  const changes: TextChange[] = [];
  let at = 0;
  let open: TextChange | null = null;
  for (const [op, text] of pieces) {
    if (text === '') continue;
    if (op === 0) {
      at += text.length;
      open = null;
      continue;
    }
    if (!open) changes.push((open = { at, remove: 0, insert: '' }));
    if (op === 1) open.insert += text;
    else {
      open.remove += text.length;
      at += text.length;
    }
  }
  return changes;
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
