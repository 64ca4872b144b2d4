import { expect, it } from 'vitest';
import { exceedsSize } from './payload-size.js';

it('counts about the bytes of the wire', () => {
  const payload = { id: 'x'.repeat(36), text: 'é€🐎'.repeat(100), list: [1, true, null, 'a'] };
  const bytes = Buffer.byteLength(JSON.stringify(payload));
  expect(exceedsSize([payload], bytes * 1.1)).toBe(false);
  expect(exceedsSize([payload], bytes * 0.8)).toBe(true);
});

it('counts binary data, keys and empty items', () => {
  expect(exceedsSize([Buffer.alloc(2_000)], 1_000)).toBe(true);
  expect(exceedsSize([{ ['k'.repeat(2_000)]: 1 }], 1_000)).toBe(true);
  expect(exceedsSize([Array.from({ length: 2_000 }, () => [])], 1_000)).toBe(true);
});

it('does not mind how deep it is', () => {
  expect(exceedsSize([JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))], 1_000)).toBe(true);
});
