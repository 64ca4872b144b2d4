import { expect, test } from 'vitest';
import { applyChanges, diffText } from './diff-text.js';
import { joinNearest } from './join-nearest.js';

const before = 'one two three, four five six; seven';
const after = 'One two three, Four five Six; Seven';

test('joins what is nearest, and leads to the same text', () => {
  const changes = diffText(before, after);
  expect(changes).toHaveLength(4);
  expect(joinNearest(before, changes, 4)).toEqual(changes);
  for (const most of [1, 2, 3]) {
    const joined = joinNearest(before, changes, most);
    expect(joined).toHaveLength(most);
    expect(applyChanges(before, joined)).toBe(after);
  }
  expect(joinNearest(before, changes, 3).at(-1)).toEqual({ at: 25, remove: 6, insert: 'Six; S' });
  expect(joinNearest(before, [], 1)).toEqual([]);
});
