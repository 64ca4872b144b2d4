import type { TextChange } from './diff-text.js';

/**
 * Makes those changes one that have the least between them, until there are `most` at most. What is between them is
 * replaced by itself: whoever has put something there still has it beside.
 *
 * @param before the text that the changes are of.
 */
export function joinNearest(before: string, changes: readonly TextChange[], most: number): TextChange[] {
  const tooMany = changes.length - most;
  if (tooMany <= 0) return [...changes];
  const endOf = ({ at, remove }: TextChange): number => at + remove;
  const gapBefore = (index: number): number => (changes[index]?.at ?? 0) - endOf(changes[index - 1] as TextChange);
  const nearest = changes
    .map((_, index) => index)
    .slice(1)
    .sort((one, other) => gapBefore(one) - gapBefore(other));
  const toJoin = new Set(nearest.slice(0, tooMany));
  const joined: TextChange[] = [];
  for (const [index, change] of changes.entries()) {
    const last = joined.at(-1);
    if (last && toJoin.has(index)) {
      last.insert += before.slice(endOf(last), change.at) + change.insert;
      last.remove = endOf(change) - last.at;
    } else joined.push({ ...change });
  }
  return joined;
}
