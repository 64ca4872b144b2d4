import { vi } from 'vitest';

/**
 * Waits for a state: until `check` no longer throws. The limit is for a machine that is busy with something else; where
 * it is the time that is tested, the test measures it.
 */
export function eventually<T>(
  check: () => T | Promise<T>,
  options: { timeout?: number; interval?: number } = {},
): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 20, ...options });
}
