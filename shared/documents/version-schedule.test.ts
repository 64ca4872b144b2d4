import { expect, test } from 'vitest';
import { thinOut } from './version-schedule.js';

const hour = 3_600_000;
const day = 24 * hour;

test('versions thin out with age, and the newest stays', () => {
  const now = 1_000 * day;
  // One every ten minutes for a year.
  const versions = Array.from({ length: 365 * 144 }, (_, n) => ({
    n,
    editedAt: now - n * 600_000,
    reason: 'schedule',
  }));
  const gone = new Set(thinOut(versions, now));
  const kept = versions.filter(({ n }) => !gone.has(n));
  const between = (from: number, to: number) =>
    kept.filter(({ editedAt }) => now - editedAt >= from && now - editedAt < to).length;
  expect(between(0, day)).toBe(144);
  expect(between(2 * day, 3 * day)).toBe(24);
  expect(between(20 * day, 30 * day)).toBe(10);
  expect(between(200 * day, 270 * day)).toBe(10);
  expect(kept[0]?.n).toBe(0);
  // What is kept now is not thinned again at once.
  expect(thinOut(kept, now)).toEqual([]);
});

test('the text before a restore stays, and a single old version too', () => {
  const now = 1_000 * day;
  const at = now - 30 * day;
  const versions = [1, 2, 3].map((n) => ({ n, editedAt: at + n, reason: n === 2 ? 'before-restore' : 'schedule' }));
  expect(thinOut(versions, now)).toEqual([1]);
  expect(thinOut([{ n: 1, editedAt: 0, reason: 'schedule' }], now)).toEqual([]);
});
