import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from '../shared/logger.js';
import { createPacedOutage } from './paced-outage.js';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

test('jobs that wait come again one after the other, and none is put off for long', () => {
  const { turn } = createPacedOutage(createLogger({ level: 'silent', role: 'test' }), 'the store');
  expect([turn(2_000), turn(1_990), turn(0)]).toEqual([2_000, 2_025, 2_050]);
  vi.advanceTimersByTime(2_000);
  expect(turn(0)).toBe(75);
  vi.advanceTimersByTime(1_000);
  expect(turn(0)).toBe(0);
  const turns = Array.from({ length: 2_000 }, () => turn(2_000));
  expect(turns[0]).toBe(2_000);
  expect(Math.max(...turns)).toBe(30_000);
});

test('what an operator has to mend is asked about by one job, as an outage is, and as seldom as told', () => {
  const outage = createPacedOutage(createLogger({ level: 'silent', role: 'test' }), 'the store');
  outage.found(new Error('The key is wrong.'), 'error');
  expect(outage.recent()).toMatchObject({ leftMs: 2_000 });
  outage.found(new Error('The vectors are too long.'), 'error', 60_000);
  vi.advanceTimersByTime(59_000);
  expect(outage.recent()).toMatchObject({ leftMs: 1_000 });
  vi.advanceTimersByTime(1_000);
  expect([outage.recent(), outage.recent()?.leftMs]).toEqual([null, 60_000]);
});

test('who finds it away again, while the work of others was done, is what is wrong', () => {
  const outage = createPacedOutage(createLogger({ level: 'silent', role: 'test' }), 'the service');
  expect([outage.isOfJob('a'), outage.isOfJob('a')]).toEqual([false, false]);
  vi.advanceTimersByTime(10);
  // What was asked before says nothing of it.
  outage.over(performance.now() - 20);
  expect(outage.isOfJob('a')).toBe(false);
  vi.advanceTimersByTime(10);
  outage.over(performance.now());
  vi.advanceTimersByTime(10);
  expect([outage.isOfJob('b'), outage.isOfJob('a'), outage.isOfJob('a')]).toEqual([false, true, false]);
});
