import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClient, type Client } from '../../shared/client/index.js';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.js';
import { type RunningProcess, type RunningSystem, startProcesses } from '../support/processes.js';
import { startReader } from '../support/reader.js';

let system: RunningSystem;
let webs: [RunningProcess, RunningProcess];
let worker: RunningProcess;
/** What a balancer is in production: it does not send anybody to a process that is gone. */
let proxy: CuttingProxy;
const clients: Client[] = [];

beforeAll(async () => {
  system = await startProcesses();
  webs = [await system.startWeb(), await system.startWeb()];
  worker = await system.startWorker();
  proxy = await startCuttingProxy(webs.map(({ url }) => url));
});
afterAll(async () => {
  for (const client of clients) client.close();
  await proxy.close();
  await system.close();
});

async function call(method: string, path: string, token?: string, body?: object) {
  const response = await fetch(`${webs[0].url}/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return text === '' ? null : JSON.parse(text);
}

async function register(name: string): Promise<{ token: string; userId: string }> {
  const credentials = { email: `${randomUUID()}@example.com`, name, password: 'correct horse battery' };
  const { accessToken, user } = await call('POST', '/auth/register', undefined, credentials);
  return { token: accessToken, userId: user.id };
}

async function read(url: string, token: string, conversationId: string) {
  const reader = await startReader({ url, token, conversationId });
  clients.push(reader.client);
  return reader;
}

it('readers get every reply whole, while a worker and a web process are killed', { timeout: 90_000 }, async () => {
  const [owner, guest] = [await register('Owner'), await register('Guest')];
  const conversation = await call('POST', '/conversations', owner.token, { title: 'T' });
  const path = `/conversations/${conversation.id}`;
  await call('PUT', `${path}/members/${guest.userId}`, owner.token, { history: 'all' });
  const readers = await Promise.all([
    read(webs[0].url, owner.token, conversation.id),
    read(proxy.url, owner.token, conversation.id),
    read(proxy.url, guest.token, conversation.id),
    read(proxy.url, guest.token, conversation.id),
  ]);

  const content = '[[stand-in: tokens=300 rate=50]] A long answer';
  const { reply } = await call('POST', `${path}/messages`, owner.token, { content, reply: true });
  const [first] = readers;
  await expect.poll(() => first?.seen(reply.id)?.assembled.length ?? 0, { timeout: 10_000 }).toBeGreaterThan(100);
  worker.signal('SIGKILL');
  await worker.exited;
  worker = await system.startWorker();
  await expect.poll(() => first?.seen(reply.id)?.attempts.length ?? 0, { timeout: 15_000 }).toBe(2);
  webs[1].signal('SIGKILL');
  await webs[1].exited;

  const texts = await Promise.all(readers.map((reader) => reader.finished(reply.id)));
  const stored = await call('GET', `/messages/${reply.id}`, guest.token);
  expect(stored).toMatchObject({ state: 'done', attempt: 2 });
  expect(stored.content.split(' ').length).toBeGreaterThan(299);
  for (const [index, reader] of readers.entries()) {
    expect(texts[index]).toBe(stored.content);
    expect(reader.seen(reply.id)).toMatchObject({ assembled: stored.content, corrections: 0 });
  }
});

it('who was connected to a killed process is announced as gone', { timeout: 60_000 }, async () => {
  const [owner, guest] = [await register('Owner'), await register('Guest')];
  const conversation = await call('POST', '/conversations', owner.token, { title: 'T' });
  await call('PUT', `/conversations/${conversation.id}/members/${guest.userId}`, owner.token, { history: 'all' });
  const doomed = await system.startWeb();
  const watcher = createClient({ url: webs[0].url, token: owner.token });
  const leaving = createClient({ url: doomed.url, token: guest.token });
  clients.push(watcher, leaving);
  const room = await watcher.join(conversation.id);
  const joined = new Promise<string>((resolve) => room.on('joined', ({ name }) => resolve(name)));
  await leaving.join(conversation.id);
  expect(await joined).toBe('Guest');
  const left = new Promise<string>((resolve) => room.on('left', ({ name }) => resolve(name)));
  doomed.signal('SIGKILL');
  expect(await left).toBe('Guest');
  expect([...room.present.values()].map(({ name }) => name)).toEqual(['Owner']);
});

it('a web process that is told to stop does so at once, also with readers', async () => {
  const owner = await register('Owner');
  const conversation = await call('POST', '/conversations', owner.token, { title: 'T' });
  const stopping = await system.startWeb();
  const client = createClient({ url: stopping.url, token: owner.token });
  clients.push(client);
  await client.join(conversation.id);
  const ended = new Promise<string>((resolve) => client.on('disconnected', ({ reason }) => resolve(reason)));
  const began = performance.now();
  stopping.signal('SIGTERM');
  expect(await stopping.exited).toBe(0);
  // A step of the shutdown that waits for its readers is given up after 5 s.
  expect(performance.now() - began).toBeLessThan(4_500);
  // Not a word of the protocol, after which a client would not come back by itself.
  expect(await ended).toBe('transport close');
});
