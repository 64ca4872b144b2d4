import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningWorker } from '../../workers/worker.js';
import { eventually } from '../support/eventually.js';
import { createHeldModel } from '../support/held-model.js';
import { startTestSystem, type TestSystem } from '../support/system.js';

const model = createHeldModel();
let system: TestSystem;
let worker: RunningWorker;

beforeAll(async () => {
  system = await startTestSystem({ workers: 0, retryBaseMs: 10, modelApi: model.options });
  worker = await system.startWorker();
});
afterAll(() => system.close());

async function recorded(replyId: string): Promise<{ attempts: number[]; input: number; output: number }> {
  const { rows } = await system.app.ctx.database.query<{ attempt: number; input: number; output: number }>(
    `SELECT attempt, input_tokens::int AS input, output_tokens::int AS output FROM usage
     WHERE message_id = $1 ORDER BY attempt`,
    [replyId],
  );
  return {
    attempts: rows.map(({ attempt }) => attempt),
    input: rows.reduce((sum, { input }) => sum + input, 0),
    output: rows.reduce((sum, { output }) => sum + output, 0),
  };
}

async function counted(): Promise<{ input: number; output: number }> {
  const { body } = await worker.ctx.metrics.expose();
  const of = (type: string): number =>
    Number(new RegExp(`^millrace_tokens_total\\{.*type="${type}".*\\} (\\d+)$`, 'm').exec(body)?.[1] ?? 0);
  return { input: of('input'), output: of('output') };
}

/** What the metrics have counted since, once they have as much of it as was recorded. */
async function expectBothToCount(replyId: string, before: { input: number; output: number }): Promise<void> {
  const { attempts, input, output } = await recorded(replyId);
  expect(attempts).toEqual([1, 2]);
  await eventually(async () =>
    expect(await counted()).toEqual({ input: before.input + input, output: before.output + output }),
  );
}

test('an attempt that failed in the middle of its answer was paid for like the next one', async () => {
  const { user, conversationId } = await system.openConversation();
  const before = await counted();
  const content = '[[stand-in: overloaded-in-stream times=1 tokens=9]]';
  const { body } = await system.post(user, conversationId, { content });
  expect(await system.ended(user, body.reply.id)).toMatchObject({ state: 'done', attempt: 2 });
  await expectBothToCount(body.reply.id, before);
});

test('an attempt that is not saved, because somebody was added, was paid for all the same', async () => {
  const { user, conversationId } = await system.openConversation();
  const guest = await system.app.registerUser();
  const before = await counted();
  const { body } = await system.post(user, conversationId, { content: 'Hello', reply: true });
  await eventually(() => expect(system.modelApi.counts.open).toBe(1));
  const path = `/conversations/${conversationId}/members/${guest.user.id}`;
  await system.app.request('PUT', path, { token: user.accessToken, body: { history: 'all' } });
  model.release();
  expect(await system.ended(user, body.reply.id)).toMatchObject({ state: 'done', attempt: 2 });
  await expectBothToCount(body.reply.id, before);
});
