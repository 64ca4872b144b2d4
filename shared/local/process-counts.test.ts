import { expect, test } from 'vitest';
import { readProcessCounts } from './process-counts.js';

test('one of each unless told', () => {
  expect(readProcessCounts([])).toEqual({ web: 1, worker: 1 });
  expect(readProcessCounts(['--web', '2', '--workers=0'])).toEqual({ web: 2, worker: 0 });
});

test.each([
  [['--web', 'two'], '--web must be a whole number from 1 to 64.'],
  [['--web', '0'], '--web must be a whole number from 1 to 64.'],
  [['--workers', '1.5'], '--workers must be a whole number from 0 to 64.'],
  [['--workers', '1e3'], '--workers must be a whole number from 0 to 64.'],
  [['--worker', '2'], "Unknown option '--worker'"],
])('%j is refused', (args, message) => {
  expect(() => readProcessCounts(args)).toThrow(message);
});
