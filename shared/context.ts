import type { Redis } from 'ioredis';
import type { Embedder } from './adapters/embedder/embedder.js';
import { createEmbedder } from './adapters/embedder/make.js';
import { createObjectStore } from './adapters/object-store/create.js';
import type { ObjectStore } from './adapters/object-store/object-store.js';
import { createQdrantStore } from './adapters/vector-store/qdrant.js';
import type { VectorStore } from './adapters/vector-store/vector-store.js';
import { createDispatcher, type Dispatcher } from './backlog/dispatch.js';
import { createRunQueues, type RunQueues } from './backlog/run-queues.js';
import { createBacklogReader } from './backlog/size.js';
import { always, halvedWhenShared } from './backlog/slots.js';
import type { Config } from './config.js';
import { createDatabase, type Database } from './database.js';
import { passageIndexes } from './knowledge/ranking/point.js';
import { createLifecycle, type Lifecycle } from './lifecycle.js';
import type { Logger } from './logger.js';
import { createMetrics, type Metrics } from './metrics.js';
import { createPublisher, type Publisher } from './realtime/publisher.js';
import { createReplyLog, type ReplyLog } from './realtime/reply-log.js';
import { assertNoEviction, connectRedis } from './redis.js';

/** What every process has, whatever its role. */
export type Context = {
  config: Config;
  logger: Logger;
  lifecycle: Lifecycle;
  database: Database;
  /** For commands; fails at once while Redis is away, so that no request waits for it. */
  redis: Redis;
  runQueues: RunQueues;
  dispatcher: Dispatcher;
  publisher: Publisher;
  metrics: Metrics;
  replyLog: ReplyLog;
  /** Files of the knowledge store. */
  objects: ObjectStore;
  /** Passages as points. */
  vectors: VectorStore;
  embedder: Embedder;
};

/**
 * Builds what a process needs and registers how to dispose of it, in reverse, on its lifecycle. Works while
 * Postgres or Redis are away: readiness says so, and they are used as soon as they are back.
 *
 * @throws when Redis answers and may evict keys: that would lose queued work without a trace.
 */
export async function createContext(config: Config, logger: Logger, role: 'web' | 'worker'): Promise<Context> {
  const lifecycle = createLifecycle(logger);
  try {
    const metrics = createMetrics(role);
    lifecycle.onClose('metrics', () => metrics.close());
    // A Postgres that hangs, or whose machine is gone, holds every connection for up to a quarter of an hour, and what
    // waits for it. Some statements of workers take long, but none comes near their limit.
    const { queryTimeoutMs, jobQueryTimeoutMs, ...connections } = config.database;
    const limitMs = role === 'web' ? queryTimeoutMs : jobQueryTimeoutMs;
    const database = createDatabase({ ...connections, queryTimeoutMs: limitMs }, logger);
    lifecycle.onClose('postgres', () => database.close());
    metrics.watchBacklog(createBacklogReader(database));
    const redis = connectRedis(config.redis.url, 'commands', logger);
    lifecycle.onClose('redis', () => redis.disconnect());
    await assertNoEviction(redis, logger);
    const runQueues = createRunQueues(redis, logger);
    lifecycle.onClose('run queues', () => runQueues.close());
    const publisher = createPublisher(redis, logger);
    const dispatcher = createDispatcher({
      database,
      runQueues,
      slots: {
        replies: always(config.replies.perUser),
        ingestion: halvedWhenShared(config.knowledge.perUser),
        embeddings: halvedWhenShared(2),
        vectors: halvedWhenShared(4),
      },
      logger,
    });
    lifecycle.onClose('dispatcher', () => dispatcher.close());
    const log = createReplyLog(redis);
    const replyLog: ReplyLog = {
      append(...frame) {
        metrics.streamAppended();
        return log.append(...frame);
      },
    };
    const objects = await createObjectStore(config.storage);
    lifecycle.onClose('object store', () => objects.close());
    const embedder = createEmbedder(config.embedder);
    const vectors = createQdrantStore(config.vectorStore, {
      alias: config.vectorStore.collection,
      model: embedder.model,
      size: embedder.size,
      indexes: passageIndexes,
    });
    const stores = { database, redis, objects, vectors };
    return { config, logger, lifecycle, ...stores, runQueues, dispatcher, publisher, metrics, replyLog, embedder };
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
}
