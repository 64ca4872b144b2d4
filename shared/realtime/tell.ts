import { withTimeout } from '../lifecycle.js';

/** In milliseconds; Redis takes less than one. */
const tellMs = 250;

/**
 * Waits for others to be told of what is committed, but not for a Redis that is away or hangs: the answer must not
 * depend on it. Who is not told finds out by asking Postgres: the rooms and the workers do so every second. While Redis
 * answers, whatever is sent after the answer reaches every process after this: nobody who was taken out hears of it.
 */
export async function tellInTime(tellings: readonly Promise<unknown>[]): Promise<void> {
  await withTimeout(Promise.allSettled(tellings), tellMs, 'telling others').catch(() => {});
}
