import { afterEach, expect, it, vi } from 'vitest';
import { createOneAtATime } from './one-at-a-time.js';

afterEach(() => void vi.useRealTimers());

/** Of a process that is not told to stop, and of one that is: it does not wait between. */
const running = new AbortController().signal;
const stopping = AbortSignal.abort();

/** Work that goes on until it is told to end; `log` says what has begun and ended. */
function controlled(log: string[]) {
  const ends = new Map<string, (how: 'well' | 'badly') => void>();
  return {
    work: (name: string) => () => {
      log.push(`${name} begins`);
      return new Promise<string>((resolve, reject) => {
        ends.set(name, (how) => {
          log.push(`${name} ends`);
          if (how === 'well') resolve(name);
          else reject(new Error(name));
        });
      });
    },
    end: (name: string, how: 'well' | 'badly' = 'well') => ends.get(name)?.(how),
  };
}

/** Everything that follows from what was done has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

it('does one thing of an account after the other, also after one that failed, and those of others at once', async () => {
  const log: string[] = [];
  const { work, end } = controlled(log);
  const oneAtATime = createOneAtATime(stopping, 60_000);
  const first = oneAtATime('ada', work('a1'));
  const second = oneAtATime('ada', work('a2'));
  const third = oneAtATime('ada', work('a3'));
  const others = oneAtATime('bob', work('b1'));
  await settled();
  expect(log).toEqual(['a1 begins', 'b1 begins']);
  end('b1');
  end('a1', 'badly');
  await expect(first).rejects.toThrow('a1');
  await expect(others).resolves.toBe('b1');
  await settled();
  expect(log.slice(2)).toEqual(['b1 ends', 'a1 ends', 'a2 begins']);
  end('a2');
  await expect(second).resolves.toBe('a2');
  await settled();
  end('a3');
  await expect(third).resolves.toBe('a3');
  expect(log.slice(5)).toEqual(['a2 ends', 'a3 begins', 'a3 ends']);
});

it('waits no longer than it is patient for one that hangs', async () => {
  const log: string[] = [];
  const { work, end } = controlled(log);
  const oneAtATime = createOneAtATime(running, 1);
  const hanging = oneAtATime('ada', work('a1'));
  const late = oneAtATime('ada', async () => 'done all the same');
  await expect(late).resolves.toBe('done all the same');
  end('a1');
  await expect(hanging).resolves.toBe('a1');
});

/** Things of an account, each of which takes 10 ms; the moments at which they begin. */
async function beginAll(
  count: number,
  signal: AbortSignal,
  before: (oneAtATime: ReturnType<typeof createOneAtATime>) => unknown,
) {
  vi.useFakeTimers();
  const oneAtATime = createOneAtATime(signal, 60_000);
  const work = () => new Promise<void>((resolve) => setTimeout(resolve, 10));
  await before(oneAtATime);
  const startedAt = performance.now();
  const begins: number[] = [];
  const all = Array.from({ length: count }, () =>
    oneAtATime('ada', () => {
      begins.push(performance.now() - startedAt);
      return work();
    }),
  );
  await vi.runAllTimersAsync();
  await Promise.all(all);
  return begins;
}

const bobIsThere = (oneAtATime: ReturnType<typeof createOneAtATime>) => oneAtATime('bob', async () => {});

it('waits between what an account wants at once while others are there', async () => {
  expect(await beginAll(3, running, bobIsThere)).toEqual([0, 90, 180]);
  // Of many each waits less, so that the last comes to its turn: after 5 s of work and as much of waiting.
  expect((await beginAll(500, running, bobIsThere)).at(-1)).toBeLessThan(11_000);
});

it('does not wait when nobody else is there, or was some time ago, nor when the process stops', async () => {
  expect(await beginAll(3, running, () => {})).toEqual([0, 10, 20]);
  const bobWasThere = async (oneAtATime: ReturnType<typeof createOneAtATime>) => {
    await bobIsThere(oneAtATime);
    await vi.advanceTimersByTimeAsync(6_000);
  };
  expect(await beginAll(3, running, bobWasThere)).toEqual([0, 10, 20]);
  expect(await beginAll(3, stopping, bobIsThere)).toEqual([0, 10, 20]);
});
