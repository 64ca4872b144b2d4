import { v7 as uuidv7 } from 'uuid';
import type { Database, Sql } from '../database.js';
import { isUnavailable } from '../errors.js';
import { catalogue, isJobKind } from '../jobs/index.js';
import type { Logger } from '../logger.js';
import { cancelledPriority, leaseSeconds } from './claim.js';
import { type Dispatcher, takeBack } from './dispatch.js';
import { planOnce, promptMs } from './plan-once.js';
import type { Lane } from './enqueue.js';
import type { Delivery, RunQueues } from './run-queues.js';
import { unblockFirst } from './unblock.js';

/** A job whose lease ran out: its worker is gone, or was paused for too long. */
type Expired = { id: string; kind: string; attempt: number };

type Options = {
  database: Database;
  runQueues: RunQueues;
  dispatcher: Dispatcher;
  logger: Logger;
  /** Told of each job that is taken from a worker that went silent. */
  onTakeover: (expired: Expired) => void;
};

const sweepEveryMs = 1_000;

/**
 * A process that has just started does not know whether Postgres was unreachable a moment ago: this long, two
 * renewals, it takes nothing from others. A whole lease would add its time to the takeover whenever the worker
 * that is left, or comes back, is a new one.
 */
const startGraceMs = 2_000;

/**
 * An answer that takes longer, in milliseconds, comes from a Postgres that hung. Statements that were sent to it
 * meanwhile are done as soon as it goes on, the sweep's perhaps before the renewals: nobody is late by own fault then.
 */
const hungAfterMs = 1_500;

/** A delivery that Redis still lacks after this time was lost, not late: adds take a millisecond. */
const lostAfterSeconds = 2;

/** Any number that nothing else uses. */
const sweepLock = 5_310_001;

const takeSweepLock = {
  name: 'take-sweep-lock',
  query_timeout: promptMs,
  text: 'SELECT pg_try_advisory_xact_lock($1) AS locked',
  values: [sweepLock],
};

/** Jobs of the product itself belong to nobody. */
const nobody = '00000000-0000-0000-0000-000000000000';
const cleanEvery = '1 hour';

/** The repair of one worker process. */
export type Sweep = {
  /** When it last came to an end, in `performance.now()` milliseconds, whatever it found: a worker's sign of life. */
  lastProgressAt(): number;
  close(): Promise<void>;
};

/**
 * Starts the repair that needs nothing but Postgres to know what is missing: a timer of every worker, not a
 * BullMQ schedule, which would live in Redis and be lost with it. Sweeps of different workers may follow one
 * another at will; the lock only saves the work of doing the same twice at once.
 */
export function startSweep(options: Options): Sweep {
  const { logger } = options;
  let failedAt = performance.now() + startGraceMs - leaseSeconds * 1_000;
  let endedAt = performance.now();
  let sweeping: Promise<void> | null = null;

  async function sweep(): Promise<void> {
    // Whoever could not renew while Postgres was unreachable is given the time to do so first.
    const leasesCount = (): boolean => performance.now() - failedAt > leaseSeconds * 1_000;
    const answered = (afterMs: number): void => {
      if (afterMs > hungAfterMs) failedAt = performance.now();
    };
    try {
      await sweepOnce(options, leasesCount, answered);
    } catch (error) {
      if (isUnavailable(error)) failedAt = performance.now();
      logger.warn({ err: error }, 'a sweep failed');
    }
  }

  const timer = setInterval(() => {
    sweeping ??= sweep().finally(() => {
      sweeping = null;
      endedAt = performance.now();
    });
  }, sweepEveryMs);

  return {
    lastProgressAt: () => endedAt,
    async close() {
      clearInterval(timer);
      await sweeping;
    },
  };
}

async function sweepOnce(
  options: Options,
  leasesCount: () => boolean,
  answered: (afterMs: number) => void,
): Promise<void> {
  const { database, dispatcher, runQueues } = options;
  const found = await database.transaction(async (tx) => {
    const askedAt = performance.now();
    const { rows } = await tx.query<{ locked: boolean }>(takeSweepLock);
    answered(performance.now() - askedAt);
    if (!rows[0]?.locked) return null;
    await tx.query(planOnce);
    await scheduleClean(tx);
    const expired = leasesCount() ? await expireLeases(tx) : [];
    return { expired, lost: await suspectedDeliveries(tx), lanes: await waitingLanes(tx), keys: await orderKeys(tx) };
  });
  if (!found) return;
  found.expired.forEach(options.onTakeover);
  found.lanes.push(...(await unblockFirst(database, found.keys)));
  if (runQueues.isReady() && found.lost.length > 0) {
    const missing = await runQueues.missing(found.lost);
    if (missing.length > 0) {
      const lost = await takeBack(database, missing);
      if (lost > 0) options.logger.warn({ deliveries: lost }, 'deliveries that Redis lost are repeated');
      found.lanes.push(...missing.map(({ queue, userId }) => ({ queue, userId })));
    }
  }
  found.lanes.forEach((lane) => dispatcher.kick({ lane }));
}

/**
 * The first three workers that die with a job cost it no wait; after that its own input is suspected, and it
 * backs off, unless it is to be cancelled. A database that has just started counts no lease as expired: nobody
 * could renew while it was down. A row that somebody has locked is left to the next sweep: the transaction of a
 * process that was paused must not hold up the repair of all others.
 */
async function expireLeases(tx: Sql): Promise<Expired[]> {
  const { rows } = await tx.query<Expired>({
    name: 'expire-leases',
    text: `
    UPDATE jobs SET state = 'pending', lease_until = NULL, failures = failures + 1,
      error = '{"code":"worker_lost","message":"The worker that did this stopped answering; another one takes over."}',
      run_at = now() + CASE WHEN failures < 3 OR cancel_requested_at IS NOT NULL THEN interval '0'
        ELSE make_interval(secs => least(2 ^ (failures - 3), 60)) END,
      priority = CASE WHEN cancel_requested_at IS NOT NULL THEN ${cancelledPriority} ELSE priority END
    WHERE id = ANY(ARRAY(
      SELECT id FROM jobs WHERE state = 'running' AND lease_until < now()
        AND now() - pg_postmaster_start_time() > interval '${leaseSeconds + 1} seconds'
      FOR UPDATE SKIP LOCKED))
    RETURNING id, kind, attempt`,
  });
  return rows;
}

async function suspectedDeliveries(tx: Sql): Promise<Delivery[]> {
  const { rows } = await tx.query<Delivery>({
    name: 'suspected-deliveries',
    text: `
    SELECT id, kind, queue, delivery, user_id AS "userId" FROM jobs
    WHERE state = 'queued' AND queued_at < now() - interval '${lostAfterSeconds} seconds'
    ORDER BY queued_at LIMIT 20000`,
  });
  return rows.filter((row) => isJobKind(row.kind) && catalogue[row.kind].queue === row.queue);
}

/** One index probe per lane, however long the lanes are: 20,000 waiting rows of one user are one step. */
async function waitingLanes(tx: Sql): Promise<Lane[]> {
  const { rows } = await tx.query<Lane>({
    name: 'waiting-lanes',
    text: `
    WITH RECURSIVE lane AS (
      (SELECT queue, user_id FROM jobs WHERE state = 'pending' AND NOT blocked ORDER BY queue, user_id LIMIT 1)
      UNION ALL
      SELECT next.queue, next.user_id FROM lane CROSS JOIN LATERAL (
        SELECT queue, user_id FROM jobs
        WHERE state = 'pending' AND NOT blocked AND (queue, user_id) > (lane.queue, lane.user_id) ORDER BY queue, user_id LIMIT 1
      ) AS next
    )
    SELECT queue, user_id AS "userId" FROM lane LIMIT 10000`,
  });
  return rows;
}

/** Order keys with jobs that wait for others, the same way. */
async function orderKeys(tx: Sql): Promise<string[]> {
  const { rows } = await tx.query<{ key: string }>({
    name: 'order-keys',
    text: `
    WITH RECURSIVE keys AS (
      (SELECT order_key FROM jobs WHERE order_key IS NOT NULL AND blocked AND state = 'pending' ORDER BY order_key LIMIT 1)
      UNION ALL
      SELECT next.order_key FROM keys CROSS JOIN LATERAL (
        SELECT order_key FROM jobs
        WHERE order_key IS NOT NULL AND blocked AND state = 'pending' AND order_key > keys.order_key ORDER BY order_key LIMIT 1
      ) AS next
    )
    SELECT order_key AS key FROM keys LIMIT 20000`,
  });
  return rows.map(({ key }) => key);
}

async function scheduleClean(tx: Sql): Promise<void> {
  await tx.query({
    name: 'schedule-clean',
    text: `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id)
     SELECT $1, 'clean', $2, '{}', $3, $3 WHERE NOT EXISTS (
       SELECT 1 FROM jobs WHERE subject_id = $3 AND kind = 'clean' AND created_at > now() - interval '${cleanEvery}')`,
    values: [uuidv7(), catalogue.clean.queue, nobody],
  });
}
