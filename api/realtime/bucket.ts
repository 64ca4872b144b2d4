/** Limits how often something may be done: a burst at once, and then a steady rate. */
export type Bucket = {
  /** False when there have been too many. */
  take(): boolean;
};

/** A client that comes back joins all its rooms and resumes all its replies at once. */
const ordinary = { burst: 400, perSecond: 50 };

/** Edits: a key each, and what a script sends as fast as it is acknowledged. */
export const forTyping = { burst: 10_000, perSecond: 2_000 };

/** Cursors: each goes to everybody in the room. The client shows one 25 times a second, and all of them when it comes back. */
export const forCursors = { burst: 500, perSecond: 50 };

export function createBucket(
  { burst, perSecond } = ordinary,
  now: () => number = performance.now.bind(performance),
): Bucket {
  let left = burst;
  let at = now();
  return {
    take() {
      const time = now();
      left = Math.min(burst, left + ((time - at) / 1000) * perSecond);
      at = time;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
