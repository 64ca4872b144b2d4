import { expect, test } from 'vitest';
import { z } from 'zod';
import { decodeCursor, toPage } from './cursor.js';

test('a page names its last item when there are more, and nothing at the end', () => {
  const pageOf = (found: number[]) => toPage(found, 2, (last) => ({ at: last }));
  const first = pageOf([1, 2, 3]);
  expect(first.items).toEqual([1, 2]);
  expect(decodeCursor(first.nextCursor ?? undefined, z.object({ at: z.int() }))).toEqual({ at: 2 });
  expect(pageOf([3, 4])).toEqual({ items: [3, 4], nextCursor: null });
  expect(pageOf([])).toEqual({ items: [], nextCursor: null });
});
