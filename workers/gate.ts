import { setTimeout as wait } from 'node:timers/promises';
import type { Sql, Statement } from '../shared/database.js';
import { withTimeout } from '../shared/lifecycle.js';
import type { Logger } from '../shared/logger.js';

/** Keeps a process from taking deliveries that it cannot claim: those who reach Postgres would not get them. */
export type Gate = {
  /** Pauses every queue of the process until Postgres answers it again. Returns at once. */
  shut(): void;
  close(): Promise<void>;
};

/** What is paused; of a BullMQ worker. */
type Pausable = { pause(doNotWaitActive: boolean): Promise<void>; resume(): Promise<void> };

/** In milliseconds. */
const probeEveryMs = 250;
const probeTimeoutMs = 1_000;

const probe: Statement & { query_timeout: number } = {
  name: 'probe',
  text: 'SELECT 1',
  query_timeout: probeTimeoutMs,
};

export function createGate(sql: Sql, workers: readonly Pausable[], logger: Logger): Gate {
  const closing = new AbortController();
  let waiting: Promise<void> | null = null;

  const answers = (): Promise<boolean> =>
    withTimeout(sql.query(probe), probeTimeoutMs, 'a probe').then(
      () => true,
      () => false,
    );

  async function waitForPostgres(): Promise<void> {
    logger.warn('postgres is not reachable; no jobs are taken until it is');
    await Promise.all(workers.map((worker) => worker.pause(true)));
    while (!closing.signal.aborted && !(await answers())) {
      await wait(probeEveryMs, undefined, { signal: closing.signal }).catch(() => {});
    }
    if (closing.signal.aborted) return;
    await Promise.all(workers.map((worker) => worker.resume()));
    logger.info('postgres is reachable again; jobs are taken');
  }

  return {
    shut() {
      waiting ??= waitForPostgres()
        .catch((error: unknown) => logger.error({ err: error }, 'the queues could not be paused'))
        .finally(() => {
          waiting = null;
        });
    },
    async close() {
      closing.abort();
      await waiting;
    },
  };
}
