import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Database } from '../../shared/database.js';
import { type MessagesApi, startMessagesApi } from '../../shared/local/messages-api/server.js';
import { replyLogKey } from '../../shared/realtime/reply-log.js';
import type { RunningWorker } from '../../workers/worker.js';
import { faultsOf, type Heard, hearReplies } from '../support/heard.js';
import { createHeldModel, heldAt, type HeldModel, wholeAnswer } from '../support/held-model.js';
import { type Accepted, openMany, postEach } from '../support/many.js';
import { startTestSystem, type TestSystem } from '../support/system.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.js';
import { eventually } from '../support/eventually.js';

vi.setConfig({ testTimeout: 60_000 });

let model: HeldModel;
let system: TestSystem;
let heard: Heard;
let redis: Redis;
beforeAll(async () => {
  model = createHeldModel();
  system = await startTestSystem({ workers: 0, modelApi: model.options });
  heard = await hearReplies(system.redisUrl);
  redis = new Redis(system.redisUrl);
});
afterAll(async () => {
  redis.disconnect();
  heard.close();
  await system.close();
});
beforeEach(() => model.hold());
/** What a test has started, to be stopped also when it fails. */
const started: (() => Promise<void>)[] = [];
afterEach(async () => {
  model.release();
  await Promise.all(started.splice(0).map((stop) => stop()));
});
async function startProcess(): Promise<WorkerProcess> {
  const worker = await startWorkerProcess(system);
  started.push(() => worker.kill());
  return worker;
}
async function startNext(): Promise<void> {
  const worker = await system.startWorker();
  started.push(() => worker.stop());
}

async function post(count: number, content = 'Hello'): Promise<Accepted[]> {
  const user = await system.app.registerUser();
  const conversations = await openMany(system, user, count);
  return postEach(
    system,
    conversations.map((conversationId) => ({ user, conversationId, content })),
  );
}

const attemptOf = ({ replyId }: Accepted): number => Math.max(0, ...heard.of(replyId).map((event) => event.attempt));
const heldIn = (replies: Accepted[], attempt: number) =>
  eventually(() => {
    for (const { replyId } of replies) {
      const said = heard.of(replyId).filter((event) => event.event === 'delta' && event.attempt === attempt);
      expect(said.map(({ text }) => text).join('')).toBe(heldAt);
    }
  });

/** Everything that an attempt could have written about a reply. */
async function everythingOf({ replyId, jobId }: Accepted) {
  const rows = async (text: string, id: string) => (await system.app.ctx.database.query(text, [id])).rows;
  return {
    message: await rows('SELECT * FROM messages WHERE id = $1', replyId),
    job: await rows('SELECT * FROM jobs WHERE id = $1', jobId),
    usage: await rows('SELECT * FROM usage WHERE message_id = $1 ORDER BY attempt', replyId),
    log: await redis.xrange(replyLogKey(replyId), '-', '+'),
    heard: [...heard.of(replyId)],
  };
}

async function expectDoneByTheSecond(replies: Accepted[], content: string): Promise<void> {
  for (const { user, replyId, jobId } of replies) {
    expect(await system.ended(user, replyId)).toMatchObject({ state: 'done', content, attempt: 2 });
    await eventually(() => expect(faultsOf(heard.of(replyId))).toEqual([]));
    await eventually(async () => {
      const { body } = await system.app.request('GET', `/jobs/${jobId}`, { token: user.accessToken });
      expect(body).toMatchObject({ state: 'done', attempt: 2 });
    });
  }
}

describe('a worker process that is paused past its leases', () => {
  it('writes nothing when it wakes up after another attempt has ended', async () => {
    const paused = await startProcess();
    const replies = await post(5);
    await heldIn(replies, 1);
    paused.signal('SIGSTOP');
    await startNext();
    await heldIn(replies, 2);
    model.release();
    await expectDoneByTheSecond(replies, wholeAnswer);
    const before = await Promise.all(replies.map(everythingOf));

    paused.signal('SIGCONT');
    await paused.said('another attempt has taken the job over', 5);
    expect(await Promise.all(replies.map(everythingOf))).toEqual(before);
  });

  it('adds nothing when it wakes up while another attempt is at it', async () => {
    const paused = await startProcess();
    const replies = await post(5);
    await heldIn(replies, 1);
    paused.signal('SIGSTOP');
    await startNext();
    await heldIn(replies, 2);
    const before = await Promise.all(replies.map(everythingOf));
    paused.signal('SIGCONT');
    await paused.said('another attempt has taken the job over', 5);
    const after = await Promise.all(replies.map(everythingOf));
    // The lease of the attempt that runs is renewed all the time.
    const withoutLease = (all: unknown) =>
      JSON.parse(JSON.stringify(all, (key, value: unknown) => (key === 'lease_until' ? 0 : value)));
    expect(withoutLease(after)).toEqual(withoutLease(before));
    model.release();
    await expectDoneByTheSecond(replies, wholeAnswer);
  });
});

it('a worker process that is killed in mid-stream: its replies go on elsewhere, and end once', async () => {
  const killed = await startProcess();
  const replies = await post(5);
  await heldIn(replies, 1);
  await killed.kill();
  await startNext();
  await heldIn(replies, 2);
  model.release();
  await expectDoneByTheSecond(replies, wholeAnswer);
});

it('an attempt that is replaced in the moment in which it saves its reply saves nothing', async () => {
  let replaces = async (): Promise<void> => {};
  const worker = await system.startWorker({ wrap: (ctx) => ({ ...ctx, database: beforeSaving(ctx.database) }) });
  started.push(() => worker.stop());
  function beforeSaving(database: Database): Database {
    const transaction: Database['transaction'] = (work) =>
      database.transaction((tx) =>
        work({
          async query(statement, values) {
            const name = typeof statement === 'string' ? '' : statement.name;
            if (name === 'guard-claim' || name === 'membership-is-still') await replaces();
            return tx.query(statement, values);
          },
        }),
      );
    return { ...database, transaction };
  }
  const [reply] = await post(1);
  if (!reply) throw new Error('nothing was posted');
  await heldIn([reply], 1);
  const before = await everythingOf(reply);
  replaces = async () =>
    void (await system.app.ctx.database.query('UPDATE jobs SET attempt = 2 WHERE id = $1', [reply.jobId]));
  model.release();
  await eventually(() => expect(worker.ctx.leases.size).toBe(0));
  const { message, usage } = await everythingOf(reply);
  expect({ message, usage }).toEqual({ message: before.message, usage: [] });
});

describe('a worker that cannot reach Postgres', () => {
  let postgres: TcpProxy;
  let slowModel: MessagesApi;
  let cutOff: RunningWorker;
  beforeEach(async () => {
    postgres = await startTcpProxy(system.databaseUrl);
    slowModel = await startMessagesApi({ rate: 50 });
    const env = { ANTHROPIC_BASE_URL: slowModel.url };
    cutOff = await system.startWorker({ databaseUrl: postgres.url, env });
  });
  afterEach(async () => {
    postgres.unblock();
    await cutOff.stop();
    await slowModel.stop();
    postgres.cut();
  });

  it('speaks until another attempt begins, and not a word after that', async () => {
    const replies = await post(5, '[[stand-in: tokens=5000]]');
    await eventually(() => expect(replies.every((reply) => attemptOf(reply) === 1)).toBe(true));
    await eventually(() => expect(slowModel.counts.open).toBe(5));
    postgres.block();
    await startNext();
    await eventually(() => expect(replies.every((reply) => attemptOf(reply) === 2)).toBe(true));
    // The calls of the attempts that lost end by what Redis told them, though Postgres still tells them nothing.
    await eventually(() => expect(slowModel.counts.open).toBe(0), { timeout: 3_000 });
    postgres.unblock();
    await expectDoneByTheSecond(replies, Array.from({ length: 5000 }, (_, index) => `t${index + 1}`).join(' '));
  });

  it('holds no locks against the one that takes over, nor against the repair of others', async () => {
    const [locked, ...others] = await post(4, '[[stand-in: tokens=5000]]');
    if (!locked) throw new Error('nothing was posted');
    await eventually(() => expect([locked, ...others].map(attemptOf)).toEqual([1, 1, 1, 1]));
    // As if it stopped in the middle of its last transaction, which has locked the row of its job.
    const stuck = await system.app.ctx.database.connect();
    await stuck.query('BEGIN');
    await stuck.query('SELECT 1 FROM jobs WHERE id = $1 FOR UPDATE', [locked.jobId]);
    const keptAwake = setInterval(() => void stuck.query('SELECT 1'), 1_000);
    postgres.block();
    await startNext();
    await eventually(() => expect(others.map(attemptOf)).toEqual([2, 2, 2]));
    expect(attemptOf(locked)).toBe(1);
    clearInterval(keptAwake);
    await eventually(() => expect(attemptOf(locked)).toBe(2));
    await expectDoneByTheSecond(
      [locked, ...others],
      Array.from({ length: 5000 }, (_, index) => `t${index + 1}`).join(' '),
    );
    stuck.release(true);
  });
});
