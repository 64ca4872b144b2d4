import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Client, ClientError, createClient } from '../../shared/client/index.js';
import { eventually } from '../support/eventually.js';
import { type TestApp, type TestUser, startTestApp } from '../support/app.js';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.js';
import { scriptReply } from '../support/replies.js';
import { startTestSystem, type TestSystem } from '../support/system.js';

let system: TestSystem;
let second: TestApp;
let proxy: CuttingProxy;
let user: TestUser;
let conversationId: string;
const clients: Client[] = [];

beforeAll(async () => {
  system = await startTestSystem();
  const { databaseUrl, redisUrl } = system;
  second = await startTestApp({ databaseUrl, redisUrl });
  proxy = await startCuttingProxy([system.app.url, second.url]);
  ({ user, conversationId } = await system.openConversation());
});
afterAll(async () => {
  for (const client of clients) client.close();
  await proxy.close();
  await second.close();
  await system.close();
});

function connect(options: Partial<Parameters<typeof createClient>[0]> = {}): Client {
  const client = createClient({ url: proxy.url, token: user.accessToken, ...options });
  clients.push(client);
  return client;
}

it('sends a message and hears the reply of a worker', async () => {
  const conversation = await connect().join(conversationId);
  const { message, reply } = await conversation.send('Hello [[stand-in: echo]] one two three');
  expect(message).toMatchObject({ role: 'user', state: 'done' });
  expect(await reply?.finished).toMatchObject({ state: 'done', content: 'one two three' });
  expect(reply?.text).toBe('one two three');
});

it('hears a reply in a conversation that it has joined by an id in capitals', async () => {
  const conversation = await connect().join(conversationId.toUpperCase());
  const { reply } = await conversation.send('Hello [[stand-in: echo]] one two');
  expect(await reply?.finished).toMatchObject({ state: 'done', content: 'one two' });
  expect(reply?.text).toBe('one two');
});

it('sends each message once, however often the connection breaks', async () => {
  const conversation = await connect().join(conversationId);
  const cuts = setInterval(() => proxy.cut(), 40);
  const stopped = setTimeout(() => clearInterval(cuts), 2_000);
  const contents = Array.from({ length: 15 }, (_, index) => `message ${index}`);
  await Promise.all(contents.map((content) => conversation.send(content, { reply: false })));
  clearInterval(cuts);
  clearTimeout(stopped);
  const { rows } = await system.app.ctx.database.query<{ content: string }>(
    `SELECT content FROM messages WHERE conversation_id = $1 AND content LIKE 'message %'`,
    [conversationId],
  );
  expect(rows.map(({ content }) => content).sort()).toEqual(contents.sort());
});

it('goes to another process when its own shuts down', async () => {
  const { databaseUrl, redisUrl } = system;
  const third = await startTestApp({ databaseUrl, redisUrl });
  const own = await startCuttingProxy([third.url, second.url]);
  const client = connect({ url: own.url });
  const conversation = await client.join(conversationId);
  const back = new Promise((resolve) => conversation.on('synced', resolve));
  const reply = await scriptReply(second.ctx, conversationId);
  const writer = await reply.attempt(1);
  writer.push('before, ');
  await writer.drain();
  const began = performance.now();
  await third.close();
  // A step of the shutdown that waits for its readers is given up after 5 s.
  expect(performance.now() - began).toBeLessThan(4_500);
  await back;
  writer.push('after');
  await reply.end(writer, 1, 'before, after');
  expect((await conversation.reply(reply.messageId)?.finished)?.content).toBe('before, after');
  client.close();
  await own.close();
});

it('asks for a fresh token when its own has ended, and before', async () => {
  const other = await system.app.registerUser();
  let token = other.accessToken;
  const getToken = vi.fn(() => token);
  const client = connect({ token: undefined, getToken });
  const { body } = await system.app.request('POST', '/conversations', { token, body: { title: 'T' } });
  const conversation = await client.join(body.id);
  const refused = new Promise<ClientError>((resolve) => client.on('unauthorized', resolve));
  const credentials = { email: other.email, password: other.password };
  await system.app.request('POST', '/auth/logout', { token, body: { refreshToken: other.refreshToken } });
  expect((await refused).type).toBe('unauthenticated');
  const again = new Promise((resolve) => conversation.on('synced', resolve));
  token = (await system.app.request('POST', '/auth/login', { body: credentials })).body.accessToken;
  await again;
  expect(client.session()).toMatchObject({ userId: other.user.id });
});

it('renews a token before it ends, without a new connection', async () => {
  const app = await startTestApp({ env: { ACCESS_TOKEN_MINUTES: '1' } });
  const other = await app.registerUser();
  const getToken = vi.fn(() => other.accessToken);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const client = connect({ url: app.url, token: undefined, getToken });
  const left = vi.fn();
  client.on('disconnected', left);
  await eventually(() => expect(client.session()).not.toBeNull());
  await vi.advanceTimersByTimeAsync(48_000);
  vi.useRealTimers();
  expect(getToken).toHaveBeenCalledTimes(2);
  await client.watchJob('no id').catch(() => {});
  expect(left).not.toHaveBeenCalled();
  client.close();
  await app.close();
});

it('ends with a token that lasts no longer', async () => {
  const client = connect({ token: 'nonsense' });
  const refused = new Promise<ClientError>((resolve) => client.on('unauthorized', resolve));
  await expect(client.join(conversationId)).rejects.toMatchObject({ type: 'closed' });
  expect(await refused).toBeInstanceOf(ClientError);
});

it('is told what it may not read, and when it may no more', async () => {
  const guest = await system.app.registerUser();
  const client = connect({ token: guest.accessToken });
  await expect(client.join(conversationId)).rejects.toMatchObject({ type: 'not_found' });
  const memberPath = `/conversations/${conversationId}/members/${guest.user.id}`;
  const token = user.accessToken;
  await system.app.request('PUT', memberPath, { token, body: { history: 'all' } });
  const conversation = await client.join(conversationId);
  expect([...conversation.present.keys()]).toContain(guest.user.id);
  const revoked = new Promise<void>((resolve) => conversation.on('revoked', resolve));
  await system.app.request('DELETE', memberPath, { token });
  await revoked;
  await expect(conversation.send('Hi')).rejects.toMatchObject({ type: 'not_found' });
});

it('cancels a reply and keeps what it said', async () => {
  const conversation = await connect().join(conversationId);
  const { reply } = await conversation.send('[[stand-in: tokens=400 rate=50]] Tell me something long');
  await new Promise<void>((resolve) => reply?.on('text', () => resolve()));
  await reply?.cancel();
  const message = await reply?.finished;
  expect(message?.state).toBe('cancelled');
  expect(message?.content).toBe(reply?.text);
  expect(message?.content.length).toBeGreaterThan(0);
});

it('tells of a watched job that ended, or whose end was not heard, while it was away', async () => {
  const { database, publisher } = second.ctx;
  const error = { code: 'made_up', message: 'So it is.' };
  const end = (id: string, state: string, told: object | null) =>
    database.query('UPDATE jobs SET state = $2, error = $3, finished_at = now() WHERE id = $1', [id, state, told]);
  const ids = [randomUUID(), randomUUID(), randomUUID()] as const;
  await database.query(
    `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, state, attempt, lease_until)
     SELECT id, 'clean', 'upkeep', '{}', $1, $1, 'running', 1, now() + interval '1 hour' FROM unnest($2::uuid[]) AS id`,
    [user.user.id, ids],
  );
  const own = await startCuttingProxy([system.app.url]);
  const client = connect({ url: own.url });
  const heard: object[] = [];
  client.on('job', (job) => heard.push(job));
  for (const id of ids) expect(await client.watchJob(id.toUpperCase())).toMatchObject({ state: 'running' });
  await end(ids[0], 'done', null);
  await end(ids[1], 'failed', error);
  own.cut();
  await eventually(() => expect(heard).toHaveLength(3));
  expect(heard).toEqual(
    expect.arrayContaining([
      { jobId: ids[0], state: 'done' },
      { jobId: ids[1], state: 'failed', error },
      { jobId: ids[2], state: 'running', progress: null },
    ]),
  );
  await end(ids[2], 'done', null);
  await publisher.emit(`job:${ids[2]}`, 'room:resync', { room: `job:${ids[2]}` });
  await eventually(() => expect(heard.slice(3)).toEqual([{ jobId: ids[2], state: 'done' }]));
  client.close();
  await own.close();
});

it('watches a job', async () => {
  const client = connect();
  const ended = new Promise<string>((resolve) => client.on('job', ({ state }) => state === 'done' && resolve(state)));
  const posted = await system.post(user, conversationId, {
    content: '[[stand-in: tokens=20 rate=50]] Hi',
    reply: true,
  });
  expect(await client.watchJob(posted.body.jobId)).toMatchObject({ state: expect.any(String) });
  expect(await ended).toBe('done');
});
