import { expect, test } from 'vitest';
import { createSemaphore } from './semaphore.js';

test('no more than its slots run at once, in the order of asking', async () => {
  const semaphore = createSemaphore(2, 100);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      semaphore(async () => {
        running += 1;
        most = Math.max(most, running);
        order.push(index);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
      }),
    ),
  );
  expect(most).toBe(2);
  expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
});

test('work that fails gives its slot back', async () => {
  const semaphore = createSemaphore(1, 10);
  const results = await Promise.allSettled([
    semaphore(() => Promise.reject(new Error('no'))),
    semaphore(() => Promise.reject(new Error('no'))),
    semaphore(() => Promise.resolve('yes')),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  expect(await semaphore(() => Promise.resolve('again'))).toBe('again');
});

test('a full line is refused instead of growing', async () => {
  const semaphore = createSemaphore(1, 1);
  let finish = (): void => undefined;
  const first = semaphore(() => new Promise<void>((resolve) => (finish = resolve)));
  const second = semaphore(() => Promise.resolve());
  await expect(semaphore(() => Promise.resolve())).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 5 });
  finish();
  await Promise.all([first, second]);
  await semaphore(() => Promise.resolve());
});
