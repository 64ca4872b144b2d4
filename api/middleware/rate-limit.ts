import type { Response } from 'express';
import { AppError } from '../../shared/errors.js';

/** Callers remembered at most; beyond that the oldest windows are forgotten, which only lets somebody through. */
const maxCallers = 50_000;
const windowMs = 60_000;

/**
 * Counts the requests of each caller in windows of a minute and refuses those beyond the limit.
 *
 * It counts in this process alone: with n web processes a caller gets up to n times the limit. It guards a
 * process against a client that runs wild; asking Redis would put a round trip into every request. Guessing
 * passwords is limited elsewhere, for all processes together.
 *
 * @param perMinute 0 turns it off.
 */
export function createRequestLimit(perMinute: number): (caller: string, res: Response) => void {
  const windows = new Map<string, { endsAt: number; count: number }>();
  return (caller, res) => {
    if (perMinute === 0) return;
    const now = Date.now();
    let window = windows.get(caller);
    if (!window || window.endsAt <= now) {
      windows.delete(caller);
      window = { endsAt: now + windowMs, count: 0 };
      windows.set(caller, window);
      if (windows.size > maxCallers) windows.delete(windows.keys().next().value ?? '');
    }
    window.count += 1;
    const resetSeconds = Math.ceil((window.endsAt - now) / 1000);
    res.setHeader('ratelimit-limit', perMinute);
    res.setHeader('ratelimit-remaining', Math.max(perMinute - window.count, 0));
    res.setHeader('ratelimit-reset', resetSeconds);
    if (window.count > perMinute) {
      throw new AppError('rate_limited', `More than ${perMinute} requests in a minute. Please wait.`, {
        retryAfterSeconds: resetSeconds,
      });
    }
  };
}
