import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from './logger.js';
import { createOutage, type Outage } from './outage.js';

let lines: string[];
let outage: Outage;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  lines = [];
  const write = (line: string): void => {
    const { level, msg } = JSON.parse(line) as { level: number; msg: string };
    lines.push(`${level} ${msg}`);
  };
  const logger = createLogger({ level: 'info', role: 'test' }, { write });
  outage = createOutage(logger, { rememberMs: 1_000, begun: 'away', ended: 'back' });
});
afterEach(() => vi.useRealTimers());

const error = new Error('nobody listens');

test('one look in a while is let through, and an outage is two lines however often it is noticed', () => {
  expect(outage.recent()).toBeNull();
  for (let round = 0; round < 3; round += 1) {
    outage.found(error);
    vi.advanceTimersByTime(400);
    expect(outage.recent()).toEqual({ error, leftMs: 600 });
    vi.advanceTimersByTime(600);
    // The first asks for all.
    expect([outage.recent(), outage.recent()]).toEqual([null, { error, leftMs: 1_000 }]);
  }
  expect(outage.isOn()).toBe(true);
  outage.over(performance.now());
  outage.over(performance.now());
  expect([outage.isOn(), outage.recent()]).toEqual([false, null]);
  expect(lines).toEqual(['40 away', '30 back']);
});

test('one who was let through and never came back is followed by the next', () => {
  outage.found(error);
  vi.advanceTimersByTime(1_000);
  expect(outage.recent()).toBeNull();
  vi.advanceTimersByTime(1_000);
  expect(outage.recent()).toBeNull();
});

test('while it is in doubt everybody may ask, and nothing is said of it', () => {
  outage.found(error);
  outage.doubt();
  expect([outage.recent(), outage.recent(), outage.isOn()]).toEqual([null, null, true]);
  outage.found(error);
  expect(outage.recent()).not.toBeNull();
  expect(lines).toEqual(['40 away']);
});

test('an answer to what was asked before does not end it', () => {
  const askedAt = performance.now();
  vi.advanceTimersByTime(10);
  outage.found(error);
  outage.over(askedAt);
  expect(outage.isOn()).toBe(true);
  expect(lines).toEqual(['40 away']);
});

test('what an operator has to mend is logged as an error, once, and asked again each time', () => {
  outage.found(error);
  outage.found(error, 'error');
  expect([outage.recent(), outage.recent()]).toEqual([null, null]);
  outage.found(error);
  outage.found(error, 'error');
  expect(lines).toEqual(['40 away', '50 away']);
});
