import fastDiff from 'fast-diff';

/** A stretch of lines of two texts: from one line up to, and without, another. */
type Stretch = { from: number; to: number };

/** Stretches that stand between lines which both texts have. */
export type Gap = { before: Stretch; after: Stretch };

/** Lines that are no anchors are compared with each other in at most so many steps, all in all: a tenth of a second. */
const maxProduct = 4_000_000;

/** Lines are numbered by one character each, below the surrogates: two of those that meet would be taken for one. */
const maxNumbers = 0xd7ff;

/**
 * Pairs the lines of two texts. Its time is bounded whatever they are: first what both have once, in n log n steps
 * (patience diff), and then, between that, also lines that come again and again, as empty ones do.
 *
 * @returns what is between the pairs, in order.
 */
export function gapsBetween(before: readonly string[], after: readonly string[]): Gap[] {
  let left = maxProduct;
  return gapsBetweenAnchors(before, after).flatMap((gap) => {
    const product = (gap.before.to - gap.before.from) * (gap.after.to - gap.after.from);
    if (product === 0 || product > left) return [gap];
    left -= product;
    return compareLines(gap, before, after);
  });
}

/** Compares a gap as two texts of one character a line. */
function compareLines(gap: Gap, before: readonly string[], after: readonly string[]): Gap[] {
  const numbers = new Map<string, string>();
  const encode = (lines: readonly string[]): string =>
    lines
      .map((line) => {
        const number = numbers.get(line) ?? String.fromCharCode(numbers.size + 1);
        numbers.set(line, number);
        return number;
      })
      .join('');
  const one = encode(before.slice(gap.before.from, gap.before.to));
  const other = encode(after.slice(gap.after.from, gap.after.to));
  if (numbers.size >= maxNumbers) return [gap];
  const gaps: Gap[] = [];
  let open: Gap | null = null;
  let at = { before: gap.before.from, after: gap.after.from };
  for (const [op, { length }] of fastDiff(one, other)) {
    if (op === 0) {
      at = { before: at.before + length, after: at.after + length };
      open = null;
      continue;
    }
    if (!open) gaps.push((open = { before: span(at.before), after: span(at.after) }));
    if (op === -1) open.before.to = at.before += length;
    else open.after.to = at.after += length;
  }
  return gaps;
}

const span = (at: number): Stretch => ({ from: at, to: at });

function gapsBetweenAnchors(before: readonly string[], after: readonly string[]): Gap[] {
  const gaps: Gap[] = [];
  let next = { before: 0, after: 0 };
  const end = { before: before.length, after: after.length };
  for (const anchor of [...anchorsOf(before, after), end]) {
    // Equal lines on both sides of a gap belong to none.
    while (next.before < anchor.before && next.after < anchor.after && before[next.before] === after[next.after]) {
      next = { before: next.before + 1, after: next.after + 1 };
    }
    const to = { ...anchor };
    while (to.before > next.before && to.after > next.after && before[to.before - 1] === after[to.after - 1]) {
      to.before -= 1;
      to.after -= 1;
    }
    if (to.before > next.before || to.after > next.after) {
      gaps.push({ before: { from: next.before, to: to.before }, after: { from: next.after, to: to.after } });
    }
    next = { before: anchor.before + 1, after: anchor.after + 1 };
  }
  return gaps;
}

type Pair = { before: number; after: number };

/** Lines that both have exactly once, as many as keep their order. */
function anchorsOf(before: readonly string[], after: readonly string[]): Pair[] {
  const inAfter = onceIn(after);
  const pairs: Pair[] = [];
  for (const [line, at] of onceIn(before)) {
    const other = inAfter.get(line);
    if (other !== undefined) pairs.push({ before: at, after: other });
  }
  return longestRising(pairs);
}

function onceIn(lines: readonly string[]): Map<string, number> {
  const places = new Map<string, number>();
  const twice = new Set<string>();
  lines.forEach((line, at) => {
    if (places.has(line)) twice.add(line);
    places.set(line, at);
  });
  for (const line of twice) places.delete(line);
  return places;
}

/** Of pairs in the order of `before` the most whose `after` rises too. */
function longestRising(pairs: readonly Pair[]): Pair[] {
  type Link = { pair: Pair; previous: Link | undefined };
  /** For each length the rising row that ends lowest. */
  const ends: Link[] = [];
  for (const pair of [...pairs].sort((one, other) => one.before - other.before)) {
    let low = 0;
    for (let high = ends.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((ends[middle] as Link).pair.after < pair.after) low = middle + 1;
      else high = middle;
    }
    ends[low] = { pair, previous: ends[low - 1] };
  }
  const rising: Pair[] = [];
  for (let link = ends.at(-1); link; link = link.previous) rising.push(link.pair);
  return rising.reverse();
}
