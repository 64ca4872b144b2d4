import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Heard, hearReplies } from '../support/heard.js';
import { createHeldModel, type HeldModel, wholeAnswer } from '../support/held-model.js';
import { type Accepted, countJobs, expectAllDone, openMany, postEach } from '../support/many.js';
import { ownPostgres } from '../support/stack.js';
import { startTestSystem, type TestSystem } from '../support/system.js';
import type { TestUser } from '../support/app.js';
import { eventually } from '../support/eventually.js';

vi.setConfig({ testTimeout: 60_000 });

let postgres: Awaited<ReturnType<typeof ownPostgres>>;
let model: HeldModel;
let system: TestSystem;
let heard: Heard;
let user: TestUser;
/** By all tests of this file: what they did is looked at again by each. */
const everAccepted: Accepted[] = [];
/** How often connections were broken. */
let breaks = 0;
beforeAll(async () => {
  postgres = await ownPostgres();
  model = createHeldModel();
  system = await startTestSystem({
    workers: 2,
    modelApi: model.options,
    databaseUrl: postgres.url,
    env: { REPLIES_PER_USER: '30' },
  });
  heard = await hearReplies(system.redisUrl);
  user = await system.app.registerUser();
});
afterAll(async () => {
  model.release();
  heard.close();
  await system.close();
  await postgres.remove();
});
beforeEach(() => model.hold());
let stopPosting = async (): Promise<void> => {};
afterEach(() => stopPosting());

async function startReplies(count: number): Promise<Accepted[]> {
  const conversations = await openMany(system, user, count);
  const accepted = await postEach(
    system,
    conversations.map((conversationId) => ({ user, conversationId, content: 'Hello' })),
  );
  await eventually(() => expect(system.modelApi.counts.open).toBe(count));
  everAccepted.push(...accepted);
  return accepted;
}

type Answers = { refusals: { status: number; code: string; retryAfter: string | null }[]; stop(): Promise<void> };

/** Clients that post without a pause, and send what was refused again under the same key until it is accepted. */
async function keepPosting(clients: number): Promise<Answers> {
  const answers: Answers['refusals'] = [];
  const conversations = await openMany(system, user, clients);
  let stopped = false;
  const post = async (conversationId: string): Promise<void> => {
    while (!stopped) {
      const key = randomUUID();
      while (!stopped) {
        const { status, body, headers } = await system.post(
          user,
          conversationId,
          { content: '[[stand-in: echo]] ' + wholeAnswer },
          { 'idempotency-key': key },
        );
        if (status === 202) {
          everAccepted.push({ user, replyId: body.reply.id, jobId: body.jobId, milliseconds: 0 });
          break;
        }
        answers.push({ status, code: body.code, retryAfter: headers.get('retry-after') });
      }
    }
  };
  const clientsDone = Promise.all(conversations.map(post));
  stopPosting = async () => {
    stopped = true;
    await clientsDone;
  };
  return { refusals: answers, stop: stopPosting };
}

const readyStatus = async (): Promise<number> => (await fetch(`${system.app.url}/readyz`)).status;

/** Everything is as if nothing had happened, and what ran when it did is in its first attempt still. */
async function expectRecovered(running: Accepted[], posting: Answers): Promise<void> {
  await eventually(async () => expect(await readyStatus()).toBe(200));
  const accepted = everAccepted.length;
  await eventually(() => expect(everAccepted.length).toBeGreaterThan(accepted + 5));
  await posting.stop();
  expect(posting.refusals.length).toBeGreaterThan(0);
  const wrong = posting.refusals.filter(({ status, code, retryAfter }) => {
    return status !== 503 || code !== 'unavailable' || !(Number(retryAfter) >= 1);
  });
  expect(wrong).toEqual([]);
  const ended = await expectAllDone(system, heard, everAccepted, wholeAnswer);
  const runningIds = new Set(running.map(({ replyId }) => replyId));
  expect(ended.filter(({ id, attempts }) => runningIds.has(id) && attempts !== 1)).toEqual([]);
  // Those that were just beginning may have needed another try for each time that their connection broke.
  expect(ended.filter(({ attempts }) => attempts > 1 + breaks)).toEqual([]);
}

describe('Postgres, restarted under load', () => {
  it('orderly: posts are refused with 503 for a moment, and everything goes on', async () => {
    const running = await startReplies(15);
    const posting = await keepPosting(8);
    await eventually(() => expect(everAccepted.length).toBeGreaterThan(40));
    breaks += 1;
    await postgres.restart();
    model.release();
    await expectRecovered(running, posting);
  });

  it('killed, and away while replies end: their text is kept and saved when it is back', async () => {
    const running = await startReplies(15);
    const posting = await keepPosting(4);
    await eventually(async () => expect(await countJobs(system)).toMatchObject({ running: expect.any(Number) }));
    breaks += 1;
    await postgres.kill();
    await eventually(async () => expect(await readyStatus()).toBe(503));
    model.release();
    await eventually(() => expect(system.modelApi.counts.open).toBe(0));
    const calls = system.modelApi.counts.total;
    await postgres.restart();
    await expectRecovered(running, posting);
    expect(system.modelApi.counts.total).toBeGreaterThanOrEqual(calls);
  });

  it('connections that are ended one by one, in the middle of transactions, end no process', async () => {
    const running = await startReplies(10);
    const posting = await keepPosting(4);
    const { database } = system.app.ctx;
    for (let rounds = 0; rounds < 10; rounds += 1) {
      breaks += 1;
      const accepted = everAccepted.length;
      await database
        .query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'millrace' AND pid <> pg_backend_pid()`,
        )
        .catch(() => {});
      await eventually(() => expect(everAccepted.length).toBeGreaterThan(accepted + 3));
    }
    model.release();
    await expectRecovered(running, posting);
  });
});
