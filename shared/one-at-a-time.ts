/**
 * Does one thing of each account at a time; others' go on meanwhile. An account that wants several at once while others
 * are there waits between them, so that it does not fill a process, and the database behind it, on its own.
 */
export type OneAtATime = <T>(userId: string, work: () => Promise<T>) => Promise<T>;

/** Milliseconds for which what has begun keeps the next: what hangs holds up nothing else of its account. */
const patienceMs = 500;

/**
 * How many times as long as the work the wait after it is, its limit in milliseconds, and what those that wait share: the
 * last of 500 comes five seconds later, before its sender gives up. Beside one who posts 2,000 messages, eight at a time
 * over four processes, the p95 of another's single messages was 230 ms without the wait and 102 with it (alone 76 and 55);
 * the 2,000 were accepted in 24 and 35 s, and the last was replied to no later. Of 2,000 files the last was ready 2.5 s
 * after it was accepted: to read them takes longer. With 15 times and 150 ms nobody waited less.
 */
const pause = { times: 8, maxMs: 100, sharedMs: 1_000 };

/** Others are there who were so a moment ago, in milliseconds. */
const besideMs = 5_000;

type Lane = { last: Promise<void>; waiting: number };

/** @param signal ends the waits between: who is answered before the process stops need not come again. */
export function createOneAtATime(signal: AbortSignal, patience = patienceMs): OneAtATime {
  const lanes = new Map<string, Lane>();
  const others = watchOthers();

  return async (userId, work) => {
    const lane = lanes.get(userId) ?? { last: Promise.resolve(), waiting: 0 };
    lanes.set(userId, lane);
    const before = lane.last;
    let letNext = (): void => {};
    const mine = new Promise<void>((resolve) => (letNext = resolve));
    lane.last = mine;
    lane.waiting += 1;
    await before;
    lane.waiting -= 1;
    const startedAt = performance.now();
    const isBesideOthers = others.see(userId, startedAt);
    const impatience = setTimeout(letNext, patience);
    try {
      return await work();
    } finally {
      clearTimeout(impatience);
      if (lane.last === mine) lanes.delete(userId);
      const paced = lane.waiting > 0 && isBesideOthers && !signal.aborted;
      if (paced) setTimeout(letNext, pauseAfter(performance.now() - startedAt, lane.waiting));
      else letNext();
    }
  };
}

const pauseAfter = (tookMs: number, waiting: number): number =>
  Math.min(pause.maxMs, pause.times * tookMs, pause.sharedMs / waiting);

/** Tells of an account that is seen whether another one was a moment ago. */
function watchOthers(): { see(userId: string, now: number): boolean } {
  let newest = { userId: '', at: -Infinity };
  let other = newest;
  return {
    see(userId, now) {
      if (newest.userId !== userId) other = newest;
      newest = { userId, at: now };
      return now - other.at <= besideMs;
    },
  };
}
