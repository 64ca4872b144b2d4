import { expect, test } from 'vitest';
import { createRequestLimiter } from './request-limiter.js';

test('what somebody waits for goes before all that waits', async () => {
  const limiter = createRequestLimiter({ concurrency: 1, requestsPerMinute: 0 });
  const { signal } = new AbortController();
  const order: string[] = [];
  let open = (): void => {};
  const held = new Promise<void>((resolve) => (open = resolve));
  const pass = (name: string, urgent: boolean, until?: Promise<void>): Promise<void> =>
    limiter.pass(
      async () => {
        order.push(name);
        await until;
      },
      signal,
      urgent,
    );
  const all = [pass('first', false, held), pass('passages', false), pass('more passages', false), pass('query', true)];
  open();
  await Promise.all(all);
  expect(order).toEqual(['first', 'query', 'passages', 'more passages']);
});
