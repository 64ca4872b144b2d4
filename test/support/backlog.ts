import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { expect } from 'vitest';
import { claimJob, type ClaimedJob, finishJob, type Outcome } from '../../shared/backlog/claim.js';
import { createDispatcher, type Dispatcher } from '../../shared/backlog/dispatch.js';
import { enqueue, type Lane, type Ready } from '../../shared/backlog/enqueue.js';
import { createRunQueues, type RunQueues } from '../../shared/backlog/run-queues.js';
import { always } from '../../shared/backlog/slots.js';
import { createDatabase, type Database } from '../../shared/database.js';
import { createLogger, type Logger } from '../../shared/logger.js';
import { connectRedis } from '../../shared/redis.js';
import { testDatabase, testRedis } from './stack.js';
import { eventually } from './eventually.js';

/** How many jobs of a user the dispatchers of tests admit. */
export const slots = 5;

/** A job that a test put into the backlog. */
export type TestJob = { id: string; ready: Ready; userId: string; messageId: string };

export type JobRow = {
  id: string;
  state: string;
  attempt: number;
  delivery: number;
  failures: number;
  blocked: boolean;
  priority: number;
  waitsMs: number;
  leaseMs: number | null;
  error: { code: string; message: string } | null;
};

/** A backlog on stores of its own, without processes around it. */
export type TestBacklog = {
  database: Database;
  databaseUrl: string;
  redis: Redis;
  runQueues: RunQueues;
  logger: Logger;
  /** What was logged as a warning or worse. */
  complaints: unknown[];
  dispatcher(options?: { runQueues?: RunQueues }): Dispatcher;
  put(options?: { userId?: string; orderKey?: string; priority?: number }): Promise<TestJob>;
  row(id: string): Promise<JobRow>;
  /** Of a user, in the order of acceptance. */
  states(userId: string): Promise<string[]>;
  /** Takes the current delivery of a job, as a worker would. */
  claim(id: string): Promise<ClaimedJob>;
  finish(claimed: ClaimedJob, outcome?: Outcome): Promise<Ready>;
  /** Runs the dispatcher for these lanes until it has done what there is to do. */
  dispatch(dispatcher: Dispatcher, ready: readonly Ready[]): Promise<void>;
  close(): Promise<void>;
};

export async function createTestBacklog(stores: { redisUrl?: string } = {}): Promise<TestBacklog> {
  const logger = createLogger({ level: 'silent', role: 'test' });
  const complaints: unknown[] = [];
  logger.warn = logger.error = (...args: unknown[]) => void complaints.push(args);
  const { url, drop } = await testDatabase();
  const database = createDatabase({ url, maxPoolSize: 30, poolTimeoutMs: 10_000 }, logger);
  const redis = connectRedis(stores.redisUrl ?? (await testRedis()).url, 'commands', logger);
  await eventually(() => expect(redis.status).toBe('ready'));
  const runQueues = createRunQueues(redis, logger);
  const dispatchers: Dispatcher[] = [];

  const backlog: TestBacklog = {
    database,
    databaseUrl: url,
    redis,
    runQueues,
    logger,
    complaints,
    dispatcher(options = {}) {
      const dispatcher = createDispatcher({
        database,
        runQueues,
        slots: { replies: always(slots) },
        logger,
        ...options,
      });
      dispatchers.push(dispatcher);
      return dispatcher;
    },
    async put({ userId = randomUUID(), orderKey, priority } = {}) {
      const messageId = randomUUID();
      const job = { kind: 'reply-to-message', payload: { messageId }, userId, subjectId: messageId } as const;
      const { id, ready } = await enqueue(database, { ...job, orderKey, priority });
      return { id, ready, userId, messageId };
    },
    async row(id) {
      const { rows } = await database.query<JobRow>(
        `SELECT id, state, attempt, delivery, failures, blocked, priority, error,
           extract(epoch FROM run_at - now())::float8 * 1000 AS "waitsMs",
           extract(epoch FROM lease_until - now())::float8 * 1000 AS "leaseMs"
         FROM jobs WHERE id = $1`,
        [id],
      );
      if (!rows[0]) throw new Error(`there is no job ${id}`);
      return rows[0];
    },
    async states(userId) {
      const { rows } = await database.query<{ state: string }>(
        'SELECT state FROM jobs WHERE user_id = $1 ORDER BY seq',
        [userId],
      );
      return rows.map(({ state }) => state);
    },
    async claim(id) {
      const { delivery } = await backlog.row(id);
      const claimed = await claimJob(database, { id, delivery });
      if (!claimed) throw new Error(`job ${id} could not be claimed`);
      return claimed;
    },
    finish: (claimed, outcome = { state: 'done' }) => finishJob(database, claimed, outcome),
    async dispatch(dispatcher, ready) {
      for (const entry of ready) dispatcher.kick(entry);
      await dispatcher.settled();
    },
    async close() {
      for (const dispatcher of dispatchers) await dispatcher.close();
      await runQueues.close();
      redis.disconnect();
      await database.close();
      await drop();
    },
  };
  return backlog;
}

/** The lane of replies of a user. */
export const laneOf = (userId: string): Lane => ({ queue: 'replies', userId });
