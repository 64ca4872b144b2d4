import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { controlChannel } from '../../shared/realtime/publisher.js';
import { faultsOf, type Heard, hearReplies } from '../support/heard.js';
import { createHeldModel, heldAt, type HeldModel, wholeAnswer } from '../support/held-model.js';
import { startMortalWorker } from '../support/mortal-worker.js';
import { startTestSystem, type TestSystem } from '../support/system.js';
import type { TestUser } from '../support/app.js';
import type { RunningWorker } from '../../workers/worker.js';
import { eventually } from '../support/eventually.js';
import { openMany, postEach } from '../support/many.js';

vi.setConfig({ testTimeout: 60_000 });

/** Replies of one user that run at a time. */
const places = 20;

let model: HeldModel;
let system: TestSystem;
let heard: Heard;
beforeAll(async () => {
  model = createHeldModel();
  system = await startTestSystem({ workers: 0, modelApi: model.options, env: { REPLIES_PER_USER: String(places) } });
  heard = await hearReplies(system.redisUrl);
});
afterAll(async () => {
  heard.close();
  await system.close();
});

let worker: RunningWorker;
beforeEach(async () => {
  model.hold();
  worker = await system.startWorker();
});
afterEach(async () => {
  model.release();
  await eventually(() => expect(system.modelApi.counts.open).toBe(0));
  await worker.stop();
});

type Running = { user: TestUser; replyId: string; jobId: string };

/** Replies of one user, in conversations of their own, that have said what comes before the gate. */
async function startReplies(count: number): Promise<Running[]> {
  const { user } = await system.openConversation();
  const conversations = await openMany(system, user, count);
  const accepted = await postEach(
    system,
    conversations.map((conversationId) => ({ user, conversationId, content: 'Hello' })),
  );
  await eventually(() => expect(accepted.map(({ replyId }) => textOf(replyId))).toEqual(accepted.map(() => heldAt)));
  return accepted;
}

async function startReply(): Promise<Running> {
  const [reply] = await startReplies(1);
  if (!reply) throw new Error('no reply was started');
  return reply;
}

function textOf(replyId: string): string {
  const events = heard.of(replyId);
  const attempt = Math.max(0, ...events.map((event) => event.attempt));
  return events
    .filter((event) => event.event === 'delta' && event.attempt === attempt)
    .map(({ text }) => text)
    .join('');
}

async function jobRow(id: string) {
  const statement = 'SELECT state, attempt, delivery, failures FROM jobs WHERE id = $1';
  const { rows } = await system.app.ctx.database.query(statement, [id]);
  return rows[0];
}

const cancel = ({ user, replyId }: Running) =>
  system.app.request('POST', `/messages/${replyId}/cancel`, { token: user.accessToken });

const isWhole = (replyId: string) => eventually(() => expect(faultsOf(heard.of(replyId))).toEqual([]));

describe('a worker that is told to stop', () => {
  it('has handed its replies on when it ends, and that is no failure', async () => {
    const replies = await startReplies(places);
    const next = await system.startWorker();
    await worker.stop();
    // Given out again, and not left to its leases: those that run out are counted as failures.
    for (const { jobId } of replies) expect(await jobRow(jobId)).toMatchObject({ delivery: 2, failures: 0 });
    model.release();
    for (const { user, replyId, jobId } of replies) {
      expect(await system.ended(user, replyId)).toMatchObject({ state: 'done', content: wholeAnswer, attempt: 2 });
      await isWhole(replyId);
      await eventually(async () =>
        expect(await jobRow(jobId)).toMatchObject({ state: 'done', attempt: 2, failures: 0 }),
      );
    }
    await next.stop();
  });

  it('closes its calls of the model', async () => {
    const replies = await startReplies(2);
    await eventually(() => expect(system.modelApi.counts.open).toBe(2));
    await worker.stop();
    await eventually(() => expect(system.modelApi.counts.open).toBe(0));
    worker = await system.startWorker();
    model.release();
    for (const { user, replyId } of replies) expect(await system.ended(user, replyId)).toMatchObject({ state: 'done' });
  });

  it('while a reply is being cancelled: it ends cancelled, with what it said, and is not begun again', async () => {
    const [during, after] = [await startReply(), await startReply()];
    const calls = system.modelApi.counts.total;
    await Promise.all([cancel(during), worker.stop()]);
    expect((await cancel(after)).status).toBe(202);
    worker = await system.startWorker();
    for (const { user, replyId, jobId } of [during, after]) {
      expect(await system.ended(user, replyId)).toMatchObject({ state: 'cancelled', content: heldAt, attempt: 1 });
      await isWhole(replyId);
      await eventually(async () => expect(await jobRow(jobId)).toMatchObject({ state: 'cancelled', failures: 0 }));
    }
    expect(system.modelApi.counts.total).toBe(calls);
  });
});

describe('a cancel', () => {
  it('of a running reply ends the call of the model, and keeps the text', async () => {
    const reply = await startReply();
    await eventually(() => expect(system.modelApi.counts.open).toBe(1));
    expect((await cancel(reply)).status).toBe(202);
    await eventually(() => expect(system.modelApi.counts.open).toBe(0));
    expect(await system.ended(reply.user, reply.replyId)).toMatchObject({
      state: 'cancelled',
      content: heldAt,
      attempt: 1,
    });
    await isWhole(reply.replyId);
    await eventually(async () => expect(await jobRow(reply.jobId)).toMatchObject({ state: 'cancelled', failures: 0 }));
    const again = await cancel(reply);
    expect([again.status, again.body.state]).toEqual([202, 'cancelled']);
  });

  it('is told to the workers at once, and the order alone is enough for them', async () => {
    const [first, second] = [await startReply(), await startReply()];
    const orders = new Redis(system.redisUrl);
    await orders.subscribe(controlChannel);
    const order = once(orders, 'message');
    await cancel(first);
    expect(JSON.parse((await order)[1])).toEqual({ type: 'job-cancelled', jobId: first.jobId });
    orders.disconnect();
    await system.app.ctx.publisher.control({ type: 'job-cancelled', jobId: second.jobId });
    expect(await system.ended(second.user, second.replyId)).toMatchObject({ state: 'cancelled', content: heldAt });
  });

  it('that no worker hears of at once is found with the next renewal', async () => {
    const reply = await startReply();
    await system.app.ctx.database.query('UPDATE jobs SET cancel_requested_at = now() WHERE id = $1', [reply.jobId]);
    await eventually(() => expect(system.modelApi.counts.open).toBe(0));
    expect(await system.ended(reply.user, reply.replyId)).toMatchObject({ state: 'cancelled', content: heldAt });
  });

  it('of a reply that waits ends it at once, and the next one in the conversation goes on', async () => {
    const { user, conversationId } = await system.openConversation();
    const post = async (content: string) => (await system.post(user, conversationId, { content })).body;
    const first = await post('one');
    await eventually(() => expect(textOf(first.reply.id)).toBe(heldAt));
    const [second, third] = [await post('two'), await post('[[stand-in: echo]] three')];
    const cancelled = await cancel({ user, replyId: second.reply.id, jobId: second.jobId });
    expect(cancelled.body).toMatchObject({ state: 'cancelled', content: '', attempt: 0 });
    expect(await jobRow(second.jobId)).toMatchObject({ state: 'cancelled', attempt: 0 });
    model.release();
    expect(await system.ended(user, third.reply.id)).toMatchObject({ state: 'done', content: 'three' });
    expect(
      (await system.app.request('GET', `/messages/${second.reply.id}`, { token: user.accessToken })).body.state,
    ).toBe('cancelled');
  });

  it('frees the place of a user whose places are all taken', async () => {
    const [first, second] = await startReplies(places);
    if (!first || !second) throw new Error('no replies were started');
    const [conversationId = ''] = await openMany(system, first.user, 1);
    const { body } = await system.post(first.user, conversationId, { content: 'Hello' });
    expect(await jobRow(body.jobId)).toMatchObject({ state: 'pending' });
    await cancel(first);
    await eventually(() => expect(textOf(body.reply.id)).toBe(heldAt));
    model.release();
    await system.ended(second.user, second.replyId);
  });

  it('after a crash keeps what the dead worker said', async () => {
    await worker.stop();
    const mortal = await startMortalWorker(system);
    const reply = await startReply();
    mortal.die();
    await eventually(() => expect(system.modelApi.counts.open).toBe(0));
    const calls = system.modelApi.counts.total;
    expect((await cancel(reply)).body.state).toBe('running');
    worker = await system.startWorker();
    expect(await system.ended(reply.user, reply.replyId)).toMatchObject({
      state: 'cancelled',
      content: heldAt,
      attempt: 1,
    });
    await isWhole(reply.replyId);
    expect(system.modelApi.counts.total).toBe(calls);
    await mortal.bury();
  });

  it('of a reply that waits for its next try does not wait for it', async () => {
    const { user, conversationId } = await system.openConversation();
    const { body } = await system.post(user, conversationId, { content: '[[stand-in: rate-limit retry-after=120]]' });
    await eventually(async () => expect(await jobRow(body.jobId)).toMatchObject({ state: 'pending', failures: 1 }));
    await cancel({ user, replyId: body.reply.id, jobId: body.jobId });
    expect(await system.ended(user, body.reply.id, 3_000)).toMatchObject({ state: 'cancelled', content: '' });
    await isWhole(body.reply.id);
  });

  it('that comes while an attempt is failing does not wait for its next try either', async () => {
    const { user, conversationId } = await system.openConversation();
    const { body } = await system.post(user, conversationId, {
      content: '[[stand-in: rate-limit retry-after=120 ms=300]]',
    });
    await eventually(async () => expect(await jobRow(body.jobId)).toMatchObject({ state: 'running' }));
    // Only the flag, as it would be if the order to the worker and the end of its attempt crossed.
    await system.app.ctx.database.query('UPDATE jobs SET cancel_requested_at = now() WHERE id = $1', [body.jobId]);
    expect(await system.ended(user, body.reply.id, 5_000)).toMatchObject({ state: 'cancelled', content: '' });
  });

  it('of a failed reply that is tried again is told, though its log has an end from before', async () => {
    const { user, conversationId } = await system.openConversation();
    const { body } = await system.post(user, conversationId, { content: '[[stand-in: error status=400]]' });
    const reply = { user, replyId: body.reply.id as string, jobId: body.jobId as string };
    expect(await system.ended(user, reply.replyId)).toMatchObject({ state: 'failed' });
    await eventually(() => expect(faultsOf(heard.of(reply.replyId))).toEqual([]));
    const before = heard.of(reply.replyId).length;
    await worker.stop();
    await system.app.request('POST', `/jobs/${reply.jobId}/retry`, { token: user.accessToken });
    await cancel(reply);
    worker = await system.startWorker();
    expect(await system.ended(user, reply.replyId)).toMatchObject({ state: 'cancelled', content: '' });
    await eventually(() =>
      expect(
        heard
          .of(reply.replyId)
          .slice(before)
          .map(({ event }) => event),
      ).toEqual(['cancelled']),
    );
  });
});
