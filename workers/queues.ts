import { type Job, WaitingError, Worker } from 'bullmq';
import { bullPrefix } from '../shared/backlog/run-queues.js';
import type { QueueName } from '../shared/jobs/index.js';
import { connectRedis } from '../shared/redis.js';
import type { WorkerContext } from './context.js';
import { createCircuitBreaker } from './circuit-breaker.js';
import { handlers } from './handlers/index.js';
import { runJob } from './run-job.js';

/**
 * BullMQ's own lock only has to outlive a busy event loop. A delivery that a worker took and died with before
 * it claimed the row comes back after this time; one that was claimed comes back through its lease.
 */
const lockMs = 5_000;
const stalledCheckMs = 1_000;

/**
 * Redis wakes one waiting worker for new deliveries. When that one has been paused, or cut off, the others find
 * them after this time, by themselves.
 */
const pollSeconds = 1;

/** How many jobs of a queue one process runs at a time. */
const defaultConcurrency = 2;

type Data = { id: string; delivery: number };

/** Starts taking deliveries of the queues. */
export function startQueues(ctx: WorkerContext, names: readonly QueueName[]): { close(): Promise<void> } {
  const concurrency: Partial<Record<QueueName, number>> = {
    replies: ctx.config.replies.concurrency,
    ingestion: ctx.config.knowledge.concurrency,
    // Some of them wait for the embedding service.
    documents: 4,
    embeddings: 4,
    vectors: 8,
  };

  async function take(job: Job<Data>, token: string | undefined): Promise<void> {
    if ((await runJob(ctx, handlers, job.data)) === 'over') return;
    // Shut first, so that this process does not take the delivery again that it gives back.
    breaker.trip();
    await job.moveToWait(token);
    throw new WaitingError();
  }

  const workers = names.map((name) => {
    const connection = connectRedis(ctx.config.redis.url, 'blocking', ctx.logger);
    // BullMQ closes only what it has opened itself.
    ctx.lifecycle.onClose(`connection of ${name}`, () => connection.disconnect());
    const worker = new Worker<Data>(name, take, {
      connection,
      prefix: bullPrefix,
      concurrency: concurrency[name] ?? defaultConcurrency,
      lockDuration: lockMs,
      stalledInterval: stalledCheckMs,
      maxStalledCount: 5,
      drainDelay: pollSeconds,
    });
    worker.on('error', (error) => ctx.logger.debug({ err: error, queue: name }, 'bullmq worker error'));
    return worker;
  });
  const breaker = createCircuitBreaker(ctx.database, workers, ctx.logger);
  return {
    async close() {
      await Promise.allSettled([breaker.close(), ...workers.map((worker) => worker.close())]);
    },
  };
}
