import { expect, it } from 'vitest';
import { createOneAtATime } from './one-at-a-time.js';

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
  const oneAtATime = createOneAtATime(60_000);
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
  const oneAtATime = createOneAtATime(1);
  const hanging = oneAtATime('ada', work('a1'));
  const late = oneAtATime('ada', async () => 'done all the same');
  await expect(late).resolves.toBe('done all the same');
  end('a1');
  await expect(hanging).resolves.toBe('a1');
});
