import type { Database } from '../database.js';
import { isUnavailable } from '../errors.js';
import type { QueueName } from '../jobs/index.js';
import type { Logger } from '../logger.js';
import type { Lane, Ready } from './enqueue.js';
import type { Delivery, RunQueues } from './run-queues.js';
import { planOnce } from './plan-once.js';
import { createSlotCounter, type SlotCounter, type Slots } from './slots.js';
import { isOrderTaken, unblockFirst, unblockStatement } from './unblock.js';

/** Moves accepted jobs from Postgres to BullMQ, at most a fixed number per user and queue at a time. */
export type Dispatcher = {
  /** Asks for a lane, and an order key, to be looked at soon. Never waits, never throws: the sweep repeats what is missed. */
  kick(ready: Ready): void;
  /** Resolves when everything that was kicked so far has been dispatched or given up. */
  settled(): Promise<void>;
  close(): Promise<void>;
};

type Options = {
  database: Database;
  runQueues: RunQueues;
  /** How many jobs of one user may be queued or running, by queue. */
  slots: Partial<Record<QueueName, Slots>>;
  logger: Logger;
};

/** Lanes looked at in one transaction: what gathers while the one before is under way goes together. */
const maxLanes = 200;

export function createDispatcher({ database, runQueues, slots, logger }: Options): Dispatcher {
  const counter = createSlotCounter(slots);
  const waiting = new Map<string, Ready>();
  let running: Promise<void> | null = null;
  let closed = false;

  async function run(): Promise<void> {
    // Kicks of one turn of the event loop share one transaction.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.size > 0 && !closed) {
      const entries = [...waiting].slice(0, maxLanes);
      for (const [key] of entries) waiting.delete(key);
      if (!runQueues.isReady()) continue;
      const ready = entries.map(([, entry]) => entry);
      await dispatchReady({ database, runQueues, counter }, ready).catch((error: unknown) => {
        logger[isUnavailable(error) ? 'debug' : 'warn']({ err: error }, 'a dispatch failed; the sweep repeats it');
      });
    }
    // Here and not in a `finally` of the caller: a kick in between would be taken by nobody.
    running = null;
  }

  return {
    kick(ready) {
      if (closed) return;
      counter.note(ready.lane);
      waiting.set(`${laneKey(ready.lane)} ${ready.orderKey ?? ''}`, ready);
      running ??= run();
    },
    async settled() {
      while (running) await running;
    },
    async close() {
      closed = true;
      await running;
    },
  };
}

const laneKey = ({ queue, userId }: Lane): string => `${queue} ${userId}`;

type Admission = { database: Database; runQueues: RunQueues; counter: SlotCounter };

async function dispatchReady(options: Admission, ready: Ready[]): Promise<void> {
  const orderKeys = ready.flatMap(({ orderKey }) => orderKey ?? []);
  const lanes = await findAdmissible(options, orderKeys, distinct(ready.map(({ lane }) => lane)));
  if (lanes.length === 0) return;
  const admitted = await admit(options, lanes);
  if (admitted.length === 0) return;
  try {
    await options.runQueues.add(admitted);
  } catch (error) {
    // Whether Redis took some of them is unknown, and does not matter: what it has is of an old delivery then.
    await takeBack(options.database, admitted);
    throw error;
  }
}

const distinct = (lanes: Lane[]): Lane[] => [...new Map(lanes.map((lane) => [laneKey(lane), lane])).values()];

/**
 * Lets the first job of each order key go, and finds the lanes with a job that may go and a place for it. Most have
 * none: jobs end with nothing behind them, or come to a full lane. The lock of a lane is not for those: while one user
 * put on 240 replies, others' dispatches, which ten processes made together with theirs, waited for it 15 ms on average
 * (on a busy machine).
 *
 * Asked after the commit that brought the job, let it go, or freed the place: of the two that meet here the later one
 * sees both.
 */
async function findAdmissible(options: Admission, orderKeys: string[], asked: Lane[]): Promise<Lane[]> {
  const { database, counter } = options;
  const find = { ...findStatement, values: laneValues(asked, counter) };
  if (orderKeys.length === 0) return (await database.batch<[object, Lane]>([planOnce, find]))[1].rows;
  try {
    const unblock = { ...unblockStatement, values: [orderKeys] };
    const [, unblocked, , , found] = await database.batch<[object, Lane, object, object, Lane]>([
      planOnce,
      unblock,
      commitAndGoOn,
      planOnce,
      find,
    ]);
    // Of whom nothing was known: what waited behind a job of this user is another one's.
    const known = new Set(asked.map(laneKey));
    return distinct([...found.rows, ...unblocked.rows.filter((lane) => !known.has(laneKey(lane)))]);
  } catch (error) {
    if (!isOrderTaken(error)) throw error;
    return findAdmissible(options, [], distinct([...asked, ...(await unblockFirst(database, orderKeys))]));
  }
}

/** Two transactions that are sent together: only what is committed is seen by others. */
const commitAndGoOn = { name: 'commit-and-go-on', text: 'COMMIT AND CHAIN' };

const findStatement = {
  name: 'find-admissible',
  text: `
SELECT queue, user_id AS "userId" FROM unnest($1::text[], $2::uuid[], $3::int[]) AS lane (queue, user_id, slots)
WHERE (SELECT true FROM jobs WHERE jobs.queue = lane.queue AND jobs.user_id = lane.user_id
  AND state = 'pending' AND NOT blocked AND run_at <= now() + interval '1 millisecond' LIMIT 1)
AND slots > (SELECT count(*) FROM jobs WHERE jobs.queue = lane.queue AND jobs.user_id = lane.user_id
  AND state IN ('queued', 'running'))`,
};

const laneValues = (lanes: Lane[], counter: SlotCounter): [string[], string[], number[]] => [
  lanes.map(({ queue }) => queue),
  lanes.map(({ userId }) => userId),
  lanes.map((lane) => counter.count(lane)),
];

/**
 * Marks as queued what the lanes have room for. Counting without a lock, or under SKIP LOCKED alone, admitted
 * 50 where 5 were allowed: so each lane is locked first, in one order for all, and counted in a second
 * statement, whose snapshot sees what the holder before committed.
 *
 * A time is stored in whole milliseconds, and may have been rounded up: what is to run now is a moment ahead.
 */
async function admit({ database, counter }: Admission, lanes: Lane[]): Promise<Delivery[]> {
  const [queues, users, limits] = laneValues(lanes, counter);
  // Run one after the other: the snapshot of the last one is taken when the one before it has the locks.
  const [, , { rows }] = await database.batch<[object, object, Delivery]>([
    planOnce,
    { ...lockLanes, values: [queues, users] },
    { ...admitJobs, values: [queues, users, limits] },
  ]);
  return rows;
}

const lockLanes = {
  name: 'lock-lanes',
  text: `SELECT pg_advisory_xact_lock(key) FROM (
  SELECT DISTINCT hashtextextended(queue || ' ' || user_id, 0) AS key
  FROM unnest($1::text[], $2::text[]) AS lane (queue, user_id) ORDER BY key
) AS keys`,
};

const admitJobs = {
  name: 'admit-jobs',
  text: `
WITH lanes AS (
  SELECT queue, user_id, slots - (
    SELECT count(*)::int FROM jobs
    WHERE jobs.queue = lane.queue AND jobs.user_id = lane.user_id AND state IN ('queued', 'running')
  ) AS free
  FROM unnest($1::text[], $2::uuid[], $3::int[]) AS lane (queue, user_id, slots)
), picked AS (
  SELECT job.id FROM lanes CROSS JOIN LATERAL (
    SELECT id FROM jobs AS candidate
    WHERE candidate.queue = lanes.queue AND candidate.user_id = lanes.user_id
      AND candidate.state = 'pending' AND NOT candidate.blocked AND candidate.run_at <= now() + interval '1 millisecond'
    ORDER BY candidate.priority, candidate.seq
    LIMIT greatest(lanes.free, 0)
  ) AS job
)
UPDATE jobs SET state = 'queued', delivery = delivery + 1, queued_at = now()
WHERE id = ANY(ARRAY(SELECT id FROM picked)) AND state = 'pending'
RETURNING id, kind, queue, user_id AS "userId", delivery`,
};

/**
 * Returns deliveries that no queue took to the backlog. One that is locked is being claimed, or cancelled.
 *
 * @returns how many there were: others have been claimed since they were looked for.
 */
export async function takeBack(database: Database, deliveries: Delivery[]): Promise<number> {
  const { rowCount } = await database.query(
    `UPDATE jobs SET state = 'pending', queued_at = NULL WHERE id IN (
       SELECT jobs.id FROM jobs JOIN unnest($1::uuid[], $2::int[]) AS lost (id, delivery) USING (id, delivery)
       WHERE jobs.state = 'queued' FOR UPDATE OF jobs SKIP LOCKED)`,
    [deliveries.map(({ id }) => id), deliveries.map(({ delivery }) => delivery)],
  );
  return rowCount ?? 0;
}
