import { setTimeout as pass } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestApp, type TestUser, startTestApp } from '../support/app.js';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.js';
import { startReader, type TestReader } from '../support/reader.js';
import { type ScriptedReply, scriptReply } from '../support/replies.js';
import { ownRedis } from '../support/stack.js';

type OwnRedis = Awaited<ReturnType<typeof ownRedis>>;

let redis: OwnRedis;
let apps: [TestApp, TestApp];
let proxy: CuttingProxy;
let user: TestUser;
let conversationId: string;
beforeAll(async () => {
  redis = await ownRedis({ durable: true });
  const one = await startTestApp({ redisUrl: redis.url });
  const two = await startTestApp({ redisUrl: redis.url, databaseUrl: one.ctx.config.database.url });
  apps = [one, two];
  proxy = await startCuttingProxy([one.url, two.url]);
  user = await one.registerUser();
  const { body } = await one.request('POST', '/conversations', { token: user.accessToken, body: { title: 'T' } });
  conversationId = body.id;
});
afterAll(async () => {
  await proxy.close();
  await apps[1].close();
  await apps[0].close();
  await redis.remove();
});

/** Text that shows every mistake: numbered, with characters of one to four bytes, some of them cut in two. */
function pieces(count: number): string[] {
  const text = Array.from({ length: count }, (_, index) => `${index}: aé€🐎 `).join('');
  return Array.from({ length: Math.ceil(text.length / 7) }, (_, index) => text.slice(index * 7, index * 7 + 7));
}

type Reading = { url?: string; transports?: ('websocket' | 'polling')[] };
const read = ({ url = proxy.url, transports = ['websocket'] }: Reading = {}): Promise<TestReader> =>
  startReader({ url, token: user.accessToken, transports, conversationId });

/** Writes a reply to its end over `ms` milliseconds; `during` is called once in the middle. */
async function stream(reply: ScriptedReply, ms: number, during: () => Promise<void> = async () => {}): Promise<string> {
  const all = pieces(400);
  const writer = await reply.attempt(1);
  let disturbed: Promise<void> | null = null;
  for (const [index, piece] of all.entries()) {
    writer.push(piece);
    if (index % 10 === 0) await pass(ms / (all.length / 10));
    if (index > all.length / 2) disturbed ??= during();
  }
  await disturbed;
  const text = all.join('');
  await reply.end(writer, 1, text);
  return text;
}

async function expectAll(readers: TestReader[], reply: ScriptedReply, text: string): Promise<void> {
  const finished = await Promise.all(readers.map((reader) => reader.finished(reply.messageId)));
  for (const [index, reader] of readers.entries()) {
    expect(finished[index]).toBe(text);
    expect(reader.seen(reply.messageId)).toMatchObject({ assembled: text, corrections: 0 });
  }
}

describe('a reply is read byte for byte', () => {
  it(
    'by 50 readers with random disconnects, late joiners and second tabs among them',
    { timeout: 60_000 },
    async () => {
      const reply = await scriptReply(apps[0].ctx, conversationId);
      const polling = { url: apps[0].url, transports: ['polling' as const] };
      const readers = await Promise.all(Array.from({ length: 35 }, (_, index) => read(index < 5 ? polling : {})));
      const cuts = setInterval(() => proxy.cut(() => Math.random() < 0.15), 100);
      // It ends when the last of them is there: who joins after the end reads the messages over HTTP.
      const text = await stream(reply, 3_000, async () => {
        const late: Promise<TestReader>[] = [];
        while (late.length < 15) {
          late.push(read());
          await pass(100);
        }
        readers.push(...(await Promise.all(late)));
      });
      clearInterval(cuts);
      expect(readers).toHaveLength(50);
      await expectAll(readers, reply, text);
      for (const reader of readers) reader.close();
    },
  );

  it('when the readers are cut off at its end', async () => {
    const reply = await scriptReply(apps[0].ctx, conversationId);
    const readers = await Promise.all([read(), read()]);
    const text = await stream(reply, 500, async () => proxy.cut());
    proxy.cut();
    await expectAll(readers, reply, text);
    for (const reader of readers) reader.close();
  });

  it('when another attempt takes over', async () => {
    const reply = await scriptReply(apps[0].ctx, conversationId);
    const readers = await Promise.all([read(), read()]);
    const first = await reply.attempt(1);
    for (const piece of pieces(50)) first.push(piece);
    await first.drain();
    readers.push(await read());
    proxy.cut(() => Math.random() < 0.5);
    const second = await reply.attempt(2);
    const all = ['another ', ...pieces(80)];
    for (const piece of all) {
      second.push(piece);
      await second.drain();
    }
    readers.push(await read());
    // A late word of the first attempt goes nowhere.
    first.push('too late');
    await first.drain().catch(() => {});
    await reply.end(second, 2, all.join(''));
    await expectAll(readers, reply, all.join(''));
    for (const reader of readers) reader.close();
  });

  it('when Redis is flushed', async () => {
    const reply = await scriptReply(apps[0].ctx, conversationId);
    const readers = await Promise.all([read(), read()]);
    const text = await stream(reply, 1_500, async () => {
      const admin = new Redis(redis.url);
      await admin.flushall();
      admin.disconnect();
      readers.push(await read(), await read());
      proxy.cut(() => Math.random() < 0.5);
    });
    await expectAll(readers, reply, text);
    for (const reader of readers) reader.close();
  });

  it('when Redis is killed and comes back with less than it had', { timeout: 60_000 }, async () => {
    const reply = await scriptReply(apps[0].ctx, conversationId);
    const readers = await Promise.all([read(), read()]);
    const text = await stream(reply, 1_500, async () => {
      await redis.kill();
      await pass(500);
      await redis.start();
      readers.push(await read(), await read());
    });
    await expectAll(readers, reply, text);
    for (const reader of readers) reader.close();
  });

  it('when it ended without a word while Redis was away', { timeout: 60_000 }, async () => {
    const reply = await scriptReply(apps[0].ctx, conversationId);
    const reader = await read();
    const writer = await reply.attempt(1);
    writer.push('half');
    await writer.drain();
    await redis.stop();
    await reply.save(1, 'half and whole');
    await redis.start();
    expect(await reader.finished(reply.messageId)).toBe('half and whole');
    reader.close();
  });
});

it('a text larger than a page is resumed in pages', async () => {
  const reply = await scriptReply(apps[0].ctx, conversationId);
  const writer = await reply.attempt(1);
  const piece = 'x'.repeat(30_000);
  for (let index = 0; index < 12; index += 1) {
    writer.push(`${index}${piece}`);
    await writer.drain();
  }
  const text = Array.from({ length: 12 }, (_, index) => `${index}${piece}`).join('');
  const reader = await read();
  writer.push('.');
  await writer.drain();
  await reply.end(writer, 1, `${text}.`);
  await expectAll([reader], reply, `${text}.`);
  reader.close();
});
