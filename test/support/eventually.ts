import { setTimeout as sleep } from 'node:timers/promises';

/** What has not come for long is looked for less often: looking takes the processor from those who are waited for. */
const [firstPauseMs, longestPauseMs, share] = [20, 100, 0.1];

/**
 * Waits for a state: until `check` no longer throws. The limit is for a machine that is busy with something else; where
 * it is the time that is tested, the test measures it.
 *
 * @param options.interval for a state that does not last: looks for it so often, however long it takes.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeout = 20_000, interval }: { timeout?: number; interval?: number } = {},
): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    try {
      return await check();
    } catch (error) {
      const waitedMs = performance.now() - startedAt;
      if (waitedMs > timeout) throw error;
      await sleep(interval ?? Math.min(longestPauseMs, Math.max(firstPauseMs, waitedMs * share)));
    }
  }
}
