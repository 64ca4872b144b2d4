import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readEnding } from '../../shared/realtime/reply-reader.js';
import type { TestUser } from '../support/app.js';
import { createHeldModel, heldAt, type HeldModel, wholeAnswer } from '../support/held-model.js';
import { type Accepted, allEnded, countJobs, openMany, postEach } from '../support/many.js';
import { ownRedis } from '../support/stack.js';
import { startTestSystem, type TestSystem } from '../support/system.js';
import { eventually } from '../support/eventually.js';

vi.setConfig({ testTimeout: 120_000 });

let server: Awaited<ReturnType<typeof ownRedis>>;
let model: HeldModel;
let system: TestSystem;
let user: TestUser;
let redis: Redis;
beforeAll(async () => {
  server = await ownRedis();
  redis = new Redis(server.url);
  redis.on('error', () => {});
});
afterAll(async () => {
  redis.disconnect();
  await server.remove();
});
beforeEach(async () => {
  model = createHeldModel();
  system = await startTestSystem({ workers: 2, modelApi: model.options, redisUrl: server.url });
  user = await system.app.registerUser();
});
afterEach(async () => {
  model.release();
  await server.start();
  await system.close();
});

/** Posts a message into each of so many new conversations of one user. */
async function post(count: number): Promise<Accepted[]> {
  const conversations = await openMany(system, user, count);
  return postEach(
    system,
    conversations.map((conversationId) => ({ user, conversationId, content: 'Hello' })),
    10,
  );
}

/** In milliseconds: so long a command waits for a Redis that does not answer. */
const commandMs = 2_000;

/** That of the fastest: if posts waited for Redis all of them would. */
const fastest = (posts: { milliseconds: number }[]): number =>
  Math.min(...posts.map(({ milliseconds }) => milliseconds));

const running = (count: number) => eventually(() => expect(system.modelApi.counts.open).toBe(count));

/** Renewed leases reach 4 s ahead. */
async function leasesReach(time: Date): Promise<void> {
  const { rows } = await system.app.ctx.database.query<{ first: Date }>('SELECT min(lease_until) AS first FROM jobs');
  expect(Number(rows[0]?.first)).toBeGreaterThan(Number(time));
}

/** Every reply is done, in the first attempt, and can be read from its log. */
async function expectAllDone(replies: Accepted[]): Promise<void> {
  const ended = await allEnded(system);
  const wrong = ended.filter(({ state, content, job, attempts, usages }) => {
    return state !== 'done' || content !== wholeAnswer || job !== 'done' || attempts !== 1 || usages !== 1;
  });
  expect(wrong).toEqual([]);
  expect(ended).toHaveLength(replies.length);
  for (const { replyId } of replies) {
    expect(await readEnding(redis, replyId)).toMatchObject({ text: wholeAnswer, end: 'done', attempt: 1 });
  }
}

describe('while Redis is stopped', () => {
  it('every post gets its 202 at once, and its reply when Redis is back', async () => {
    const before = await post(5);
    await running(5);
    await server.stop();
    const { rows } = await system.app.ctx.database.query<{ now: Date }>('SELECT now()');
    const during = await post(120);
    expect(fastest(during)).toBeLessThan(commandMs);
    expect(await countJobs(system)).toEqual({ running: 5, pending: 120 });

    // What runs is written to its end by the model; then it waits for Redis, and holds its leases meanwhile.
    model.release();
    await running(0);
    await eventually(() => leasesReach(new Date(Number(rows[0]?.now) + 14_000)), { timeout: 20_000, interval: 200 });
    expect(await countJobs(system)).toEqual({ running: 5, pending: 120 });
    const ready = await fetch(`${system.app.url}/readyz`);
    expect([ready.status, ((await ready.json()) as { status: string }).status]).toEqual([200, 'degraded']);

    await server.start();
    await expectAllDone([...before, ...during]);
  });

  it('a reply can be read, and cancelled with what it said', async () => {
    const [reply] = await post(1);
    if (!reply) throw new Error('nothing was posted');
    await running(1);
    await eventually(async () => expect(await readEnding(redis, reply.replyId)).toMatchObject({ text: heldAt }));
    await server.stop();
    const token = reply.user.accessToken;
    const startedAt = performance.now();
    expect((await system.app.request('POST', `/messages/${reply.replyId}/cancel`, { token })).status).toBe(202);
    expect(performance.now() - startedAt).toBeLessThan(commandMs);
    await running(0);
    expect(await system.ended(reply.user, reply.replyId)).toMatchObject({ state: 'cancelled', content: heldAt });
    await server.start();
    await eventually(async () => expect(await countJobs(system)).toEqual({ cancelled: 1 }));
  });

  it('processes start, and work as soon as it is there', async () => {
    const later = await ownRedis();
    await later.stop();
    const other = await startTestSystem({ modelApi: { rate: 0 }, redisUrl: later.url });
    const { user, conversationId } = await other.openConversation();
    const { status, body } = await other.post(user, conversationId, { content: '[[stand-in: echo]] hello' });
    expect(status).toBe(202);
    await later.start();
    expect(await other.ended(user, body.reply.id)).toMatchObject({ state: 'done', content: 'hello', attempt: 1 });
    const again = await other.post(user, conversationId, { content: '[[stand-in: echo]] again' });
    expect(await other.ended(user, again.body.reply.id)).toMatchObject({ state: 'done', content: 'again' });
    await other.close();
    await later.remove();
  });
});

describe('while Redis hangs', () => {
  it('posts are accepted and requests answered, and all goes on afterwards', async () => {
    const before = await post(4);
    await running(4);
    process.kill(server.pid, 'SIGSTOP');
    try {
      const during = await post(20);
      expect(fastest(during)).toBeLessThan(commandMs);
      const [first] = before;
      if (!first) throw new Error('nothing was posted');
      const startedAt = performance.now();
      const token = first.user.accessToken;
      expect((await system.app.request('POST', `/messages/${first.replyId}/cancel`, { token })).status).toBe(202);
      expect(performance.now() - startedAt).toBeLessThan(commandMs);
      await running(3);
      expect(await system.ended(first.user, first.replyId)).toMatchObject({ state: 'cancelled', content: heldAt });
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    model.release();
    const ended = await allEnded(system);
    expect(ended.filter(({ state, content }) => state === 'done' && content === wholeAnswer)).toHaveLength(23);
    expect(ended.filter(({ state }) => state === 'cancelled')).toHaveLength(1);
  });
});
