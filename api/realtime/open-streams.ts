import { AppError } from '../../shared/errors.js';

/** Event streams of one user in one process: as many as a connection may have rooms. */
const maxPerUser = 200;

/** The event streams that a web process has open. */
export type OpenStreams = {
  /**
   * @param end ends the stream: a shutdown does not wait for it.
   * @returns what takes it out again.
   * @throws AppError `rate_limited` when the user has too many.
   */
  add(userId: string, end: () => void): () => void;
  endAll(): void;
  readonly size: number;
};

export function createOpenStreams(): OpenStreams {
  const open = new Map<string, Set<() => void>>();
  return {
    add(userId, end) {
      const own = open.get(userId) ?? new Set();
      if (own.size >= maxPerUser) {
        throw new AppError('rate_limited', `More than ${maxPerUser} event streams are open. Please close some.`, {
          retryAfterSeconds: 5,
        });
      }
      open.set(userId, own.add(end));
      return () => {
        own.delete(end);
        if (own.size === 0 && open.get(userId) === own) open.delete(userId);
      };
    },
    endAll() {
      for (const own of [...open.values()]) for (const end of [...own]) end();
    },
    get size() {
      return [...open.values()].reduce((sum, own) => sum + own.size, 0);
    },
  };
}
