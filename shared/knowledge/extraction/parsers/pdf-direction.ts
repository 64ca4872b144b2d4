import { type TextItem, xOf, yOf } from './pdf-item.js';

/** A word, a number or signs, and from which side its script runs; signs run as what is beside them. */
type Unit = { text: string; from: 'left' | 'right' | undefined };

const fromRight = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
/** A word or number and the marks of its sentence that are drawn at once with it. */
const marked = /^([\s.,:;!?()[\]{}"«»،؛؟]*)(.*?)([\s.,:;!?()[\]{}"«»،؛؟]*)$/su;
const mirrored = new Map(Array.from('()[]{}<>«»').map((sign, at, signs) => [sign, signs[at ^ 1] ?? sign]));

/**
 * Puts words of scripts that run from the right into the order in which they are read, where a page draws them from the
 * left, as browsers do that print into a file: each letter by itself. What is drawn in its order stays as it is.
 */
export function orderFromRight(items: readonly TextItem[]): TextItem[] {
  if (!items.some(({ str }) => fromRight.test(str))) return [...items];
  const ordered: TextItem[] = [];
  let run: TextItem[] = [];
  for (const item of items) {
    const before = run.at(-1);
    if (before && (before.hasEOL || !goesOn(before, item))) {
      ordered.push(...inOrder(run));
      run = [];
    }
    run.push(item);
  }
  return [...ordered, ...inOrder(run)];
}

/** Whether an item begins about where the one before it ends, at its height. */
function goesOn(before: TextItem, item: TextItem): boolean {
  const size = Math.max(before.height, item.height, 1);
  const gap = xOf(item) - xOf(before) - before.width;
  return Math.abs(yOf(item) - yOf(before)) < size / 2 && Math.abs(gap) < size / 2;
}

/** What is drawn from the left without a gap, as one item. */
function inOrder(run: readonly TextItem[]): readonly TextItem[] {
  const [first] = run;
  const last = run.at(-1);
  if (!first || !last || run.length < 2 || !run.some(({ str }) => fromRight.test(str))) return run;
  const units = run.flatMap(({ str }) => unitsOf(str));
  const letters = (from: Unit['from']): number =>
    units.reduce((sum, unit) => sum + (unit.from === from ? (unit.text.match(/\p{L}/gu)?.length ?? 0) : 0), 0);
  const ordered = letters('right') >= letters('left') ? turnedRuns(turned(units), 'left') : turnedRuns(units, 'right');
  const width = xOf(last) + last.width - xOf(first);
  return [{ ...first, str: ordered.map(({ text }) => text).join(''), width, hasEOL: last.hasEOL }];
}

function unitsOf(text: string): Unit[] {
  if (fromRight.test(text)) return [{ text, from: 'right' }];
  const [, before = '', word = '', after = ''] = marked.exec(text) ?? [];
  const units: Unit[] = [
    { text: before, from: undefined },
    { text: word, from: /[\p{L}\p{N}]/u.test(word) ? 'left' : undefined },
    { text: after, from: undefined },
  ];
  return units.filter((unit) => unit.text !== '');
}

/** Turns what runs from this side, with the signs between. */
function turnedRuns(units: readonly Unit[], from: 'left' | 'right'): Unit[] {
  const result: Unit[] = [];
  let at = 0;
  while (at < units.length) {
    let end = at;
    for (let next = at; next < units.length; next += 1) {
      const side = units[next]?.from;
      if (side === from) end = next + 1;
      else if (side !== undefined) break;
    }
    if (units[at]?.from !== from) end = at;
    result.push(...(end > at ? turned(units.slice(at, end)) : units.slice(at, at + 1)));
    at = Math.max(end, at + 1);
  }
  return result;
}

/** The other way round: a bracket that stood before a word is now behind it, and is drawn the other way. */
const turned = (units: readonly Unit[]): Unit[] =>
  units.toReversed().map(({ text, from }) => ({
    text: from
      ? text
      : Array.from(text)
          .reverse()
          .map((sign) => mirrored.get(sign) ?? sign)
          .join(''),
    from,
  }));
