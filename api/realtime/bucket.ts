/** Limits how often something may be done: a burst at once, and then a steady rate. */
export type Bucket = {
  /** False when there have been too many. */
  take(): boolean;
};

/** A client that comes back joins all its rooms and resumes all its replies at once. */
const burst = 400;
const perSecond = 50;

export function createBucket(now: () => number = performance.now.bind(performance)): Bucket {
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
