import type { Logger } from '../shared/logger.js';
import { createOutage, type Outage } from '../shared/outage.js';

/** What the jobs of a process tell each other about a store that they wait for while it is away. */
export type PacedOutage = Outage & {
  /**
   * In how many milliseconds a job that waits is to come again: not before `leftMs`, and one after the other. However
   * many wait, they come about as fast as a worker does their work once it can, and ask little of it until then.
   */
  turn(leftMs: number): number;
  /**
   * Notes which job found the service away. True when the same job had found it so before, and others' work was done
   * since: then it is not the service but what this job asks of it, however the answer reads.
   */
  isOfJob(jobId: string): boolean;
};

/** In milliseconds: how soon a job asks again whether the store is back. */
export const askAgainMs = 2_000;

/** In milliseconds: from one turn to the next, and how far away a turn is at most. */
const apartMs = 25;
const furthestMs = 30_000;

/** Jobs that are remembered for having found it away: more than a worker has at hand between two turns. */
const maxFinders = 1_000;

/** @param store its name in the two lines that the log has of an outage. */
export function createPacedOutage(logger: Logger, store: string): PacedOutage {
  let lastTurn = 0;
  let workedAt = -Infinity;
  const foundBy = new Map<string, number>();
  const outage = createOutage(logger, {
    rememberMs: askAgainMs,
    rememberErrors: true,
    begun: `${store} is not available; jobs wait for it`,
    ended: `${store} is available again`,
  });
  return {
    ...outage,
    over(askedAt) {
      workedAt = Math.max(workedAt, askedAt);
      outage.over(askedAt);
    },
    isOfJob(jobId) {
      const before = foundBy.get(jobId) ?? Infinity;
      if (foundBy.size >= maxFinders) foundBy.clear();
      foundBy.set(jobId, performance.now());
      return workedAt > before;
    },
    turn(leftMs) {
      const now = performance.now();
      lastTurn = Math.min(Math.max(now + leftMs, lastTurn + apartMs), now + furthestMs);
      return lastTurn - now;
    },
  };
}
