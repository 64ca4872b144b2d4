import { createAnthropicModel } from '../shared/adapters/language-model/anthropic.js';
import { createLeases } from '../shared/backlog/leases.js';
import { startSweep } from '../shared/backlog/sweep.js';
import type { Context } from '../shared/context.js';
import { onControl } from '../shared/control-channel.js';
import { catalogue, type QueueName } from '../shared/jobs/index.js';
import { createQueryEncoder } from '../shared/knowledge/query-vectors.js';
import { createExtractor } from '../shared/knowledge/extraction/extract.js';
import { defaultLimits } from '../shared/knowledge/extraction/limits.js';
import { createRelevanceJudge } from '../shared/knowledge/relevance.js';
import { withTimeout } from '../shared/lifecycle.js';
import { connectRedis } from '../shared/redis.js';
import type { WorkerContext } from './context.js';
import { watchIndex } from './index-watch.js';
import { startQueues } from './queues.js';
import { createPacedOutage } from './paced-outage.js';
import { createReaderWatch } from './reader-watch.js';

/** A worker that takes jobs until it is told to stop. */
export type RunningWorker = {
  ctx: WorkerContext;
  /** When its sweep last went round, in `performance.now()` milliseconds. */
  lastProgressAt(): number;
  /** Hands every running job on: rows are released and dispatched again before this resolves. */
  stop(): Promise<void>;
};

/** How long jobs may take to stop by themselves before their rows are left to the leases, in milliseconds. */
const handOverMs = 1_400;

/** How long Redis may take to answer a worker that stops, in milliseconds. */
const answerMs = 1_000;

/** How long the first retry of a failed job waits, in milliseconds. */
const defaultRetryBaseMs = 1_000;

/** Starts the queues, the leases and the sweep of one worker process. */
export function startWorker(
  base: Context,
  queues: readonly QueueName[],
  { retryBaseMs = defaultRetryBaseMs }: { retryBaseMs?: number } = {},
): RunningWorker {
  const { lifecycle, logger, database, runQueues, dispatcher } = base;
  const leases = createLeases(database, logger);
  lifecycle.onClose('leases', () => leases.close());
  const { maxFileBytes, concurrency } = base.config.knowledge;
  const extractor = createExtractor({ ...defaultLimits, fileBytes: maxFileBytes }, concurrency);
  lifecycle.onClose('extractor', () => extractor.close());
  const ctx: WorkerContext = {
    ...base,
    leases,
    model: createAnthropicModel(base.config.model),
    readerWatch: createReaderWatch(),
    extractor,
    encodeQuery: createQueryEncoder(base.embedder, logger),
    judge: createRelevanceJudge(database, base.embedder, logger),
    vectorStoreOutage: createPacedOutage(logger, 'the vector store'),
    storageOutage: createPacedOutage(logger, 'the storage of files'),
    embedderOutage: createPacedOutage(logger, 'the embeddings service'),
    retryBaseMs,
  };
  const subscriber = connectRedis(base.config.redis.url, 'subscriber', logger);
  lifecycle.onClose('control channel', () => subscriber.disconnect());
  onControl(subscriber, logger, (message) => {
    if (message.type === 'job-cancelled') leases.stop(message.jobId, 'cancelled');
    else ctx.readerWatch.hear(message);
  });
  const sweep = startSweep({
    database,
    runQueues,
    dispatcher,
    logger,
    onTakeover: (expired) => {
      logger.warn(
        { jobId: expired.id, kind: expired.kind, attempt: expired.attempt },
        'a job is taken from a silent worker',
      );
      base.metrics.takeover(expired.kind);
    },
  });
  lifecycle.onClose('sweep', () => sweep.close());
  if (queues.includes('vectors')) {
    const index = watchIndex(ctx);
    lifecycle.onClose('index watch', () => index.close());
  }
  base.metrics.expectJobs(Object.keys(catalogue));
  const running = startQueues(ctx, queues);

  return {
    ctx,
    lastProgressAt: sweep.lastProgressAt,
    async stop() {
      // In this order: no new deliveries, then every job is told to stop; its row is released by its wrapper,
      // dispatched, and BullMQ's close waits for the wrappers.
      const closed = running.close();
      leases.stopAll();
      // A Redis that hangs would hold up each step for as long as a command may take. Cut off, all that waits for it
      // fails at once, and a dispatch that is under way gives its rows back.
      withTimeout(base.redis.ping(), answerMs, 'a ping').catch(() => base.redis.disconnect());
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, handOverMs).unref())]);
      await dispatcher.settled();
      await lifecycle.close();
    },
  };
}
