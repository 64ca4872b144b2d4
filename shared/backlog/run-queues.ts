import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { catalogue, isJobKind, queueNames, type JobContract, type QueueName } from '../jobs/index.js';
import type { Logger } from '../logger.js';
import { keyPrefix } from '../redis.js';

/** Where BullMQ keeps its keys. */
export const bullPrefix = `${keyPrefix}bull`;

/** One delivery of a job row: what travels through BullMQ. The row has everything else. */
export type Delivery = { id: string; kind: string; queue: QueueName; userId: string; delivery: number };

/** The producers' side of every BullMQ queue, over one connection. */
export type RunQueues = {
  queues: ReadonlyMap<QueueName, Queue>;
  /** False while Redis is away: then nothing is admitted, the rows wait. */
  isReady(): boolean;
  /** Hands deliveries to the workers. @throws when Redis does not take them. */
  add(deliveries: Delivery[]): Promise<void>;
  /** Of the given deliveries those that BullMQ no longer holds, waiting or active. */
  missing(deliveries: Delivery[]): Promise<Delivery[]>;
  close(): Promise<void>;
};

/** The BullMQ id of a delivery. It is never used twice, since a delivery number is not. */
const runJobId = (delivery: Pick<Delivery, 'id' | 'delivery'>): string => `${delivery.id}-${delivery.delivery}`;

const toBullJob = (delivery: Delivery) => ({
  name: delivery.kind,
  data: { id: delivery.id, delivery: delivery.delivery },
  // The row keeps the history and decides about repeats: BullMQ keeps nothing and repeats nothing.
  opts: {
    jobId: runJobId(delivery),
    attempts: 1,
    removeOnComplete: true,
    removeOnFail: true,
    ...(isUrgent(delivery.kind) ? { lifo: true } : {}),
  },
});

const isUrgent = (kind: string): boolean => isJobKind(kind) && (catalogue[kind] as JobContract).urgent === true;

export function createRunQueues(redis: Redis, logger: Logger): RunQueues {
  const queues = new Map(
    queueNames.map((name) => {
      const queue = new Queue(name, { connection: redis, prefix: bullPrefix });
      // Without a listener an error of the connection, which reconnects by itself, would end the process.
      queue.on('error', (error) => logger.debug({ err: error, queue: name }, 'bullmq queue error'));
      return [name, queue] as const;
    }),
  );

  return {
    queues,
    isReady: () => redis.status === 'ready',
    async add(deliveries) {
      await Promise.all(
        [...queues].map(async ([name, queue]) => {
          const jobs = deliveries.filter((delivery) => delivery.queue === name).map(toBullJob);
          if (jobs.length > 0) await queue.addBulk(jobs);
        }),
      );
    },
    async missing(deliveries) {
      const pipeline = redis.pipeline();
      for (const delivery of deliveries) pipeline.exists(`${bullPrefix}:${delivery.queue}:${runJobId(delivery)}`);
      const replies = (await pipeline.exec()) ?? [];
      return deliveries.filter((_, index) => {
        const [error, exists] = replies[index] ?? [new Error('no reply'), null];
        if (error) throw error;
        return exists === 0;
      });
    },
    async close() {
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
    },
  };
}
