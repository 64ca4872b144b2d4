import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ReplyFrame } from '../../shared/realtime/reply-frames.js';
import { createReplyLog, type ReplyLog, replyLogKey } from '../../shared/realtime/reply-log.js';
import { readReply } from '../../shared/realtime/reply-reader.js';
import { createReplyWriter, type ReplyWriter } from '../../shared/realtime/reply-writer.js';
import { createLogger } from '../../shared/logger.js';
import { testRedis } from '../support/stack.js';

let redis: Redis;
let log: ReplyLog;
beforeAll(async () => {
  redis = new Redis((await testRedis()).url);
  log = createReplyLog(redis);
});
afterAll(() => redis.disconnect());

const newAddress = () => ({ messageId: randomUUID(), conversationId: randomUUID(), messageSeq: 2 });

async function write(writer: ReplyWriter, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    writer.push(text);
    await writer.drain();
  }
}

it('is written anew when Redis came back without its newest part', async () => {
  const address = newAddress();
  const { signal } = new AbortController();
  const logger = createLogger({ level: 'silent', role: 'test' });
  const options = { log, address, attempt: 1, guard: async () => {}, signal, onLost: () => {}, logger };
  const writer = createReplyWriter(options);
  await write(writer, 'a', 'b', 'c', 'd');
  const key = replyLogKey(address.messageId);
  await redis.xdel(key, '1-3', '1-4');
  await redis.call('XSETID', key, '1-2');
  await write(writer, 'e', 'f');
  expect(await readReply(redis, address.messageId, { attempt: 0, after: 0 })).toMatchObject({
    text: 'abcdef',
    toSeq: 6,
  });
  expect(await readReply(redis, address.messageId, { attempt: 1, after: 3 })).toMatchObject({
    text: 'def',
    fromSeq: 4,
  });
});

it('takes a delta only after the one before it, and each once', async () => {
  const address = newAddress();
  const delta = (attempt: number, seq: number) => ({ type: 'delta', attempt, seq, text: `${seq}` }) as const;
  expect(await log.append(address, delta(1, 1))).toBe('missing');
  expect(await log.append(address, { type: 'started', attempt: 1, seq: 0 })).toBe('appended');
  expect(await log.append(address, delta(1, 2))).toBe('missing');
  expect(await log.append(address, delta(1, 1))).toBe('appended');
  expect(await log.append(address, delta(1, 1))).toBe('duplicate');
  expect(await log.append(address, { type: 'started', attempt: 2, seq: 0 })).toBe('appended');
  expect(await log.append(address, delta(1, 2))).toBe('stale');
  expect(await log.append(address, { type: 'started', attempt: 1, seq: 0 })).toBe('stale');
  expect(await redis.xlen(replyLogKey(address.messageId))).toBe(1);
});

it('takes the frames that go out together with one that fails', async () => {
  const [before, broken, after] = [newAddress(), newAddress(), newAddress()];
  await redis.set(replyLogKey(broken.messageId), 'not a log');
  const started = { type: 'started', attempt: 1, seq: 0 } as const;
  const results = await Promise.allSettled([before, broken, after].map((address) => log.append(address, started)));
  expect(results).toMatchObject([
    { status: 'fulfilled', value: 'appended' },
    { status: 'rejected', reason: { message: expect.stringContaining('WRONGTYPE') } },
    { status: 'fulfilled', value: 'appended' },
  ]);
});

it('keeps frames apart and in order, however many go out together', async () => {
  const addresses = Array.from({ length: 250 }, newAddress);
  const append = (address: (typeof addresses)[number], frame: ReplyFrame) => log.append(address, frame);
  const results = await Promise.all(
    addresses.flatMap((address) => [
      append(address, { type: 'started', attempt: 1, seq: 0 }),
      append(address, { type: 'delta', attempt: 1, seq: 1, text: `${address.messageId} ` }),
      append(address, { type: 'delta', attempt: 1, seq: 2, text: address.conversationId }),
    ]),
  );
  expect(new Set(results)).toEqual(new Set(['appended']));
  for (const { messageId, conversationId } of addresses) {
    expect(await readReply(redis, messageId, { attempt: 1, after: 0 })).toMatchObject({
      text: `${messageId} ${conversationId}`,
      toSeq: 2,
    });
  }
});
