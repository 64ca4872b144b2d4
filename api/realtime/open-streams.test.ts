import { expect, it, vi } from 'vitest';
import { createOpenStreams } from './open-streams.js';

const fill = (open: ReturnType<typeof createOpenStreams>, user: string, count: number) =>
  Array.from({ length: count }, () => open.add(user, () => {}));

it('takes so many streams of a user, and again when one has ended', () => {
  const open = createOpenStreams();
  const [forget] = fill(open, 'ada', 200);
  expect(() => open.add('ada', () => {})).toThrow(expect.objectContaining({ code: 'rate_limited' }));
  fill(open, 'ben', 1);
  expect(open.size).toBe(201);
  forget?.();
  forget?.();
  expect(() => fill(open, 'ada', 1)).not.toThrow();
  expect(() => fill(open, 'ada', 1)).toThrow();
});

it('ends all of them, though each takes itself out', () => {
  const open = createOpenStreams();
  const ended = vi.fn();
  for (const user of ['ada', 'ada', 'ben']) {
    const forget = open.add(user, () => {
      ended();
      forget();
    });
  }
  open.endAll();
  expect([ended.mock.calls.length, open.size]).toEqual([3, 0]);
});
