import { setTimeout as wait } from 'node:timers/promises';
import { JobFailure } from '../errors.js';

const firstWaitMs = 1_000;
const maxWaitMs = 30_000;
/** In a row: together about five minutes, unless the service says itself how long to wait. */
const maxTries = 14;

/**
 * Does work again while a service that it needs is away, or has no room. A job goes back to the backlog for that; this
 * is for what has none, and would lose its way for one answer of 429.
 *
 * @param work may be done again.
 * @param told before each wait, with what it is for and how long it is.
 * @throws the last failure; the signal's reason when aborted.
 */
export async function patiently<T>(
  work: () => Promise<T>,
  signal: AbortSignal,
  told: (error: Error, waitMs: number) => void = () => {},
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof JobFailure) || !error.transient || tries === maxTries) throw error;
      const waitMs = error.retryAfterMs ?? Math.min(maxWaitMs, firstWaitMs * 2 ** (tries - 1));
      told(error, waitMs);
      await wait(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
