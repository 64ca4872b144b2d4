import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { testDatabase } from '../support/stack.js';
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
