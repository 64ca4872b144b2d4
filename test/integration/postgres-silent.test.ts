import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDispatcher } from '../../shared/backlog/dispatch.js';
import { createDatabase } from '../../shared/database.js';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { createTestBacklog } from '../support/backlog.js';
import { eventually } from '../support/eventually.js';
import { hearReplies } from '../support/heard.js';
import { createHeldModel, wholeAnswer } from '../support/held-model.js';
import { testDatabase } from '../support/stack.js';
import { startTestSystem } from '../support/system.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

let database: Awaited<ReturnType<typeof testDatabase>>;
let proxy: TcpProxy;
let app: TestApp;
let user: TestUser;
beforeAll(async () => {
  database = await testDatabase();
  proxy = await startTcpProxy(database.url);
  app = await startTestApp({
    databaseUrl: proxy.url,
    env: { QUERY_TIMEOUT: '1', POOL_TIMEOUT: '2', MAX_POOL_SIZE: '4' },
  });
  user = await app.registerUser();
});
afterAll(async () => {
  proxy.unblock();
  await app.close();
  await proxy.close();
  await database.drop();
});

const post = () =>
  app.request('POST', '/conversations', { token: user.accessToken, body: { title: 'While it hangs' } });

it('is answered 503 when Postgres says nothing, by every request, and used again when it does', async () => {
  expect((await post()).status).toBe(201);
  proxy.block();
  // More than there are connections: some wait for an answer, some for a connection, some for one to be made.
  const answers = await Promise.all(Array.from({ length: 12 }, post));
  for (const { status, body, headers } of answers) {
    expect({ status, code: body.code, retryAfter: headers.get('retry-after') }).toEqual({
      status: 503,
      code: 'unavailable',
      retryAfter: '1',
    });
  }
  proxy.unblock();
  await eventually(async () => expect((await post()).status).toBe(201));
});

it('goes on with a reply whose connections nobody hears of any more', async () => {
  const model = createHeldModel();
  const system = await startTestSystem({ workers: 0, modelApi: model.options });
  const way = await startTcpProxy(system.databaseUrl);
  const heard = await hearReplies(system.redisUrl);
  await system.startWorker({ databaseUrl: way.url, env: { JOB_QUERY_TIMEOUT: '1' } });
  const { user: asker, conversationId } = await system.openConversation();
  const { body } = await system.post(asker, conversationId, { content: 'Hello', reply: true });
  await eventually(() => expect(heard.of(body.reply.id).filter(({ event }) => event === 'delta')).not.toEqual([]));
  way.strand();
  model.release();
  expect(await system.ended(asker, body.reply.id)).toMatchObject({ state: 'done', content: wholeAnswer });
  heard.close();
  await system.close();
  await way.close();
});

it('is not waited for by a dispatcher for long', async () => {
  const backlog = await createTestBacklog();
  const way = await startTcpProxy(backlog.databaseUrl);
  const database = createDatabase({ url: way.url, maxPoolSize: 2, poolTimeoutMs: 10_000 }, backlog.logger);
  const dispatcher = createDispatcher({ ...backlog, database, slots: {} });
  const [first, second] = [await backlog.put(), await backlog.put()];
  await backlog.dispatch(dispatcher, [first.ready]);
  way.strand();
  dispatcher.kick(second.ready);
  await eventually(
    async () => {
      await dispatcher.settled();
      await backlog.dispatch(dispatcher, [second.ready]);
      expect((await backlog.row(second.id)).state).toBe('queued');
    },
    { timeout: 20_000 },
  );
  await dispatcher.close();
  await database.close();
  await backlog.close();
  await way.close();
});
