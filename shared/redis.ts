import { Redis } from 'ioredis';
import { ConfigError } from './config.js';
import { withTimeout } from './lifecycle.js';
import type { Logger } from './logger.js';

/**
 * What a connection is for decides what happens to a command while Redis is away. `commands`: it fails at
 * once, because a request waits for it. `blocking` (a worker's) and `subscriber`: it waits for Redis to come back.
 */
export type RedisUse = 'commands' | 'blocking' | 'subscriber';

/** Before every key and channel, so that a Redis can be shared with other software. */
export const keyPrefix = 'millrace:';

/** In milliseconds; a command takes less than one. */
const commandTimeoutMs = 2_000;

/** In milliseconds: so long a Redis that is left may take to close the connection, which one that hangs never does. */
const farewellMs = 100;

/** Opens a connection that reconnects for ever, waiting 50 ms to 1 s between tries. */
export function connectRedis(url: string, use: RedisUse, logger: Logger): Redis {
  const redis = new Redis(url, {
    connectionName: `millrace-${use}`,
    maxRetriesPerRequest: use === 'commands' ? 1 : null,
    // One that accepts connections and answers nothing (paused, swapping, cut off) counts as away, too.
    commandTimeout: use === 'commands' ? commandTimeoutMs : undefined,
    enableOfflineQueue: use !== 'commands',
    // A command that was sent when the connection broke may have been done: only its caller knows whether to repeat it.
    autoResendUnfulfilledCommands: use !== 'commands',
    connectTimeout: 5_000,
    disconnectTimeout: farewellMs,
    retryStrategy: (times) => Math.min(50 * times, 1_000),
  });
  if (use === 'subscriber') handleResubscribing(redis);
  let reachable = true;
  redis.on('error', (error: Error) => {
    // One line per outage, not one per try.
    if (reachable) logger.warn({ err: error, use }, 'redis is not reachable');
    reachable = false;
  });
  redis.on('ready', () => {
    if (!reachable) logger.info({ use }, 'redis is reachable again');
    reachable = true;
  });
  return redis;
}

/**
 * A connection that is back subscribes to its channels again by itself, and the client lets nobody know how that ends:
 * closed at this moment, it leaves a rejection that nobody handles, which would end the process before it has closed
 * the rest. Whoever subscribes is told as before.
 */
function handleResubscribing(redis: Redis): void {
  const subscribe = redis.subscribe.bind(redis) as (...channels: unknown[]) => Promise<unknown>;
  redis.subscribe = (...channels: unknown[]) => {
    const subscribed = subscribe(...channels);
    subscribed.catch(() => {});
    return subscribed;
  };
}

/** Waits up to `ms` milliseconds for the connection; answers whether it is there. */
async function waitUntilReady(redis: Redis, ms: number): Promise<boolean> {
  if (redis.status === 'ready') return true;
  const ready = new Promise<void>((resolve) => redis.once('ready', resolve));
  return withTimeout(ready, ms, 'connecting to Redis').then(
    () => true,
    () => false,
  );
}

/**
 * Refuses a Redis that drops keys when its memory is full: BullMQ's jobs and the reply logs are such keys.
 * One that is away, or that forbids CONFIG (some managed ones), is let through with a warning.
 *
 * Without a limit nothing is dropped yet, but a limit can be set at any time, and nobody would ask again.
 *
 * @throws ConfigError when the policy is not `noeviction`.
 */
export async function assertNoEviction(redis: Redis, logger: Logger): Promise<void> {
  if (!(await waitUntilReady(redis, 3_000))) {
    logger.warn('redis is not reachable yet; starting without it');
    return;
  }
  const info = await redis.info('memory').catch(() => '');
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1];
  if (policy === undefined) {
    logger.warn('redis does not tell its maxmemory-policy; make sure that it is noeviction');
  } else if (policy !== 'noeviction') {
    throw new ConfigError(
      `Redis may evict keys when its memory is full (maxmemory-policy ${policy}), which would lose queued work. ` +
        'Set its maxmemory-policy to noeviction.',
    );
  }
}
