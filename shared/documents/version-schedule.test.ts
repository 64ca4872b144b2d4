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

test('the highest number stays, though a clock that was wrong made it look old', () => {
  const now = 1_000 * day;
  const versions = [10, 30, 20].map((minutes, index) => ({
    n: index + 1,
    editedAt: now - 30 * day + minutes * 60_000,
    reason: 'schedule',
  }));
  expect(thinOut(versions, now)).toEqual([1]);
});

test('whatever the ages are, thinning twice takes nothing more, and no span that held a version is left empty', () => {
  let seed = 5;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 4) % below;
  };
  for (let round = 0; round < 20; round += 1) {
    const now = 1_000 * day + random(day);
    // Some lie in the future: the clock of another machine.
    const versions = Array.from({ length: 400 }, (_, index) => ({
      n: index + 1,
      editedAt: now - random(100_000) * random(4_000) * 70 + random(hour),
      reason: random(20) === 0 ? 'before-restore' : 'schedule',
    }));
    const gone = new Set(thinOut(versions, now));
    const kept = versions.filter(({ n }) => !gone.has(n));
    expect(thinOut(kept, now)).toEqual([]);
    expect(gone.has(400)).toBe(false);
    for (const { n, editedAt, reason } of versions) {
      const age = now - editedAt;
      if (age <= day || (reason !== 'schedule' && age < 180 * day)) expect(gone.has(n)).toBe(false);
      const apart = age > 180 * day ? 7 * day : age > 14 * day ? day : hour;
      const inSpan = kept.some((other) => Math.floor(other.editedAt / apart) === Math.floor(editedAt / apart));
      expect(inSpan).toBe(true);
    }
  }
});
