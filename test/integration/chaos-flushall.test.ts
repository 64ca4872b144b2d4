import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readEnding } from '../../shared/realtime/reply-reader.js';
import { faultsOf, type Heard, hearReplies } from '../support/heard.js';
import { createHeldModel, type HeldModel, wholeAnswer } from '../support/held-model.js';
import { countJobs, expectAllDone, openMany, postEach } from '../support/many.js';
import { ownRedis } from '../support/stack.js';
import { startTestSystem, type TestSystem } from '../support/system.js';
import { eventually } from '../support/eventually.js';

vi.setConfig({ testTimeout: 60_000 });

let server: Awaited<ReturnType<typeof ownRedis>>;
let model: HeldModel;
let system: TestSystem;
let heard: Heard;
let redis: Redis;
beforeAll(async () => {
  server = await ownRedis();
  model = createHeldModel();
  // 300 of the 400 are admitted: 200 run, 100 wait in Redis, and 100 in Postgres.
  const env = { REPLIES_CONCURRENCY: '200', REPLIES_PER_USER: '150' };
  system = await startTestSystem({ modelApi: model.options, env, redisUrl: server.url });
  heard = await hearReplies(server.url);
  redis = new Redis(server.url);
});
afterAll(async () => {
  model.release();
  redis.disconnect();
  heard.close();
  await system.close();
  await server.remove();
});

it('FLUSHALL while 200 replies run and 200 wait: each ends done, once, in its first attempt', async () => {
  const users = [await system.app.registerUser(), await system.app.registerUser()];
  const posts = [];
  for (const user of users) {
    for (const conversationId of await openMany(system, user, 200))
      posts.push({ user, conversationId, content: 'Hello' });
  }
  const callsBefore = system.modelApi.counts.total;
  const accepted = await postEach(system, posts);
  const settled = { running: 200, queued: 100, pending: 100, calls: 200 };
  const counts = async () => ({ ...(await countJobs(system)), calls: system.modelApi.counts.open });
  await eventually(async () => expect(await counts()).toMatchObject(settled), { timeout: 30_000 });

  // Asked for together: a moment later a worker may have written something again.
  const [, size] = (await redis.multi().flushall().dbsize().exec()) ?? [];
  expect(size).toEqual([null, 0]);
  model.release();

  const ended = await expectAllDone(system, heard, accepted, wholeAnswer);
  expect(ended.filter(({ attempt, attempts, usages }) => attempt !== 1 || attempts !== 1 || usages !== 1)).toEqual([]);
  expect(system.modelApi.counts.total - callsBefore).toBe(400);
  expect(system.modelApi.counts.maxOpen).toBe(200);

  // The logs were written anew: who comes late reads the whole text from them.
  for (const { replyId } of accepted) {
    expect(await readEnding(redis, replyId)).toMatchObject({ text: wholeAnswer, attempt: 1, end: 'done' });
  }
});

it('FLUSHALL again and again, at any moment', async () => {
  const user = await system.app.registerUser();
  const conversations = await openMany(system, user, 60);
  const posts = conversations.map((conversationId, index) => ({
    user,
    conversationId,
    content: `[[stand-in: tokens=${20 + (index % 40)} rate=40]]`,
  }));
  const posted = postEach(system, posts, 5);
  for (let flushes = 0; flushes < 15; flushes += 1) {
    // Whenever a little more was said, and at the start while they are being posted.
    const before = heard.count();
    await redis.flushall();
    await eventually(() => expect(heard.count()).toBeGreaterThan(before + 15));
  }
  const accepted = await posted;
  const replies = [];
  for (const { replyId } of accepted) replies.push(await system.ended(user, replyId, 30_000));
  const wrong = replies.filter(
    ({ state, content, attempt }) => state !== 'done' || attempt !== 1 || !/^t1( t\d+)*$/.test(content),
  );
  expect(wrong).toEqual([]);
  await eventually(() => expect(accepted.flatMap(({ replyId }) => faultsOf(heard.of(replyId)))).toEqual([]));
  const { pending = 0, queued = 0 } = await countJobs(system);
  expect({ pending, queued }).toEqual({ pending: 0, queued: 0 });
});
