import { AppError } from '../errors.js';

/** Runs work a few at a time; the rest waits its turn, first come, first served. */
export type Semaphore = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * @param slots how many run at once.
 * @param maxWaiting how many may wait; more are refused with `unavailable`, so that a flood cannot pile up here.
 */
export function createSemaphore(slots: number, maxWaiting: number): Semaphore {
  const waiting: (() => void)[] = [];
  let running = 0;

  return async (work) => {
    if (running < slots) {
      running += 1;
    } else {
      if (waiting.length >= maxWaiting) {
        throw new AppError('unavailable', 'Too many sign-ins at once. Please try again.', { retryAfterSeconds: 5 });
      }
      // Whoever is woken takes over the slot of the one who leaves: `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
