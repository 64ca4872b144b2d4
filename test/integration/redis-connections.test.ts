import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ConfigError } from '../../shared/config.js';
import { createLogger } from '../../shared/logger.js';
import { assertNoEviction, connectRedis } from '../../shared/redis.js';
import { ownRedis } from '../support/stack.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

let server: Awaited<ReturnType<typeof ownRedis>>;
let admin: Redis;
beforeAll(async () => {
  server = await ownRedis();
  admin = new Redis(server.url);
});
afterAll(async () => {
  admin.disconnect();
  await server.remove();
});

const logger = createLogger({ level: 'silent', role: 'test' });

/** A subscriber, and a way to close it so that what is on its way then is never answered. */
async function startSubscriber() {
  const way = await startTcpProxy(server.url);
  const subscriber = connectRedis(way.url, 'subscriber', logger);
  await once(subscriber, 'ready');
  const closeUnanswered = async (): Promise<void> => {
    way.block();
    const ended = once(subscriber, 'end');
    subscriber.disconnect();
    way.cut();
    await ended;
  };
  return { way, subscriber, closeUnanswered };
}

it('leaves no rejection unhandled when a subscriber is closed while it subscribes again', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note);
  const { way, subscriber, closeUnanswered } = await startSubscriber();
  await subscriber.subscribe('a channel');
  way.cut();
  await way.restore();
  await once(subscriber, 'ready');
  await closeUnanswered();
  // Rejections are told about when the microtasks of their turn are done.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

it('tells whoever subscribes that it came to nothing', async () => {
  const { subscriber, closeUnanswered } = await startSubscriber();
  const [subscribed] = await Promise.allSettled([subscriber.subscribe('a channel'), closeUnanswered()]);
  expect(subscribed).toMatchObject({ reason: { message: 'Connection is closed.' } });
});

it.each(['allkeys-lru', 'volatile-ttl'])(
  'refuses a Redis with the policy %s, with and without a limit',
  async (policy) => {
    const commands = connectRedis(server.url, 'commands', logger);
    await admin.config('SET', 'maxmemory-policy', policy);
    for (const limit of ['0', '100mb']) {
      await admin.config('SET', 'maxmemory', limit);
      const refused = assertNoEviction(commands, logger);
      await expect(refused).rejects.toThrow(ConfigError);
      await expect(refused).rejects.toThrow(policy);
    }
    await admin.config('SET', 'maxmemory-policy', 'noeviction');
    await expect(assertNoEviction(commands, logger)).resolves.toBeUndefined();
    await admin.config('SET', 'maxmemory', '0');
    commands.disconnect();
  },
);
