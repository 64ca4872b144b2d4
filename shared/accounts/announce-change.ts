import type { Publisher } from '../realtime/publisher.js';
import type { PrincipalCache } from './principal-cache.js';

/**
 * Makes a change of an account (role, disabled, sessions, keys) take effect at once: here, and in every other
 * process that hears of it. One that does not hear asks Postgres again within a second. Call it after the commit.
 */
export function announceAccountChange(
  from: { principals: Pick<PrincipalCache, 'forget'>; publisher: Pick<Publisher, 'control'> },
  userId: string,
): void {
  from.principals.forget(userId);
  // Not awaited: the answer must not wait for a Redis that is slow.
  void from.publisher.control({ type: 'principal-changed', userId });
}
