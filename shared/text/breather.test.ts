import { expect, test } from 'vitest';
import { createBreather } from './breather.js';

test('long work lets others go on, and short work does not wait for them', async () => {
  const breathe = createBreather(5);
  let others = 0;
  setImmediate(() => (others += 1));
  await breathe();
  expect(others).toBe(0);
  for (const end = performance.now() + 6; performance.now() < end;);
  await breathe();
  expect(others).toBe(1);
});
