import { setTimeout as wait } from 'node:timers/promises';
import type { Sql, Statement } from '../shared/database.js';
import { withTimeout } from '../shared/lifecycle.js';
import type { Logger } from '../shared/logger.js';

/**
 * Keeps a process from taking deliveries that it cannot claim: those who reach Postgres would not get them. It looks
 * every second, and so finds out before the leases of the process end and its jobs are given out again.
 */
export type CircuitBreaker = {
  /** Pauses every queue of the process until Postgres answers it again. Returns at once. */
  trip(): void;
  close(): Promise<void>;
};

/** What is paused; of a BullMQ worker. */
type Pausable = { pause(doNotWaitActive: boolean): Promise<void>; resume(): Promise<void> };

/** In milliseconds: while all is well, and while it is not. */
const probeEveryMs = 1_000;
const retryEveryMs = 250;
const probeTimeoutMs = 1_500;

const probe: Statement & { query_timeout: number } = {
  name: 'probe',
  text: 'SELECT 1',
  query_timeout: probeTimeoutMs,
};

export function createCircuitBreaker(sql: Sql, workers: readonly Pausable[], logger: Logger): CircuitBreaker {
  const closing = new AbortController();
  const { signal } = closing;
  let isOpen = false;
  let tripNow = (): void => {};

  const answers = (): Promise<boolean> =>
    withTimeout(sql.query(probe), probeTimeoutMs, 'a probe').then(
      () => true,
      () => false,
    );

  async function look(): Promise<void> {
    while (!signal.aborted) {
      const hurried = new Promise<void>((resolve) => (tripNow = resolve));
      await Promise.race([wait(probeEveryMs, undefined, { signal }).catch(() => {}), hurried]);
      if (signal.aborted || (!isOpen && (await answers()))) continue;
      logger.warn('postgres is not reachable; no jobs are taken until it is');
      await pauseAll();
      while (!signal.aborted && !(await answers())) await wait(retryEveryMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      isOpen = false;
      await Promise.all(workers.map((worker) => worker.resume()));
      logger.info('postgres is reachable again; jobs are taken');
    }
  }

  async function pauseAll(): Promise<void> {
    await Promise.all(workers.map((worker) => worker.pause(true)));
  }

  const looking = look().catch((error: unknown) => logger.error({ err: error }, 'the queues could not be paused'));
  return {
    trip() {
      if (isOpen || signal.aborted) return;
      isOpen = true;
      // At once, and not when the loop comes round: what is given back must not be taken again.
      pauseAll().catch(() => {});
      tripNow();
    },
    async close() {
      closing.abort();
      await looking;
    },
  };
}
