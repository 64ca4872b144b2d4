import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { scriptReply } from '../support/replies.js';
import { connectRaw } from '../support/sockets.js';

let app: TestApp;
let user: TestUser;
let conversationId: string;
beforeAll(async () => {
  app = await startTestApp();
  user = await app.registerUser();
  const { body } = await app.request('POST', '/conversations', { token: user.accessToken, body: { title: 'Input' } });
  conversationId = body.id;
});
afterAll(() => app.close());

const cursor = (position: unknown): string => Buffer.from(JSON.stringify(position)).toString('base64url');
const codeOf = ({ status, body }: { status: number; body: { code?: string } }): string => `${status} ${body.code}`;

it.each<[string, (id: string) => string]>([
  ['a seq beyond 32 bits', (id) => `/conversations/${id}/messages?cursor=${cursor(2 ** 31)}`],
  ['the largest safe integer', (id) => `/conversations/${id}/messages?cursor=${cursor(Number.MAX_SAFE_INTEGER)}`],
  ['the year 0', (id) => `/conversations?cursor=${cursor({ at: '0000-01-01T00:00:00Z', id })}`],
])('refuses a cursor with %s, which Postgres could not compare', async (_what, path) => {
  expect(codeOf(await app.request('GET', path(conversationId), { token: user.accessToken }))).toBe(
    '400 invalid_cursor',
  );
});

it.each<[string, string, object?]>([
  ['GET', '/auth/me'],
  ['GET', '/conversations/:id'],
  ['POST', '/conversations', { title: 'Not made' }],
  ['PATCH', '/conversations/:id', { title: 'Not changed' }],
  ['DELETE', '/conversations/:id'],
])('refuses a parameter that %s %s does not know, and does nothing', async (method, path, body) => {
  const token = user.accessToken;
  const answer = await app.request(method, `${path.replace(':id', conversationId)}?dryRun=true`, { token, body });
  expect(codeOf(answer)).toBe('400 invalid_request');
  expect(answer.body.issues).toEqual([{ path: 'dryRun', message: 'is not a known field' }]);
  const { body: list } = await app.request('GET', '/conversations', { token });
  expect(list.items.map(({ title }: { title: string }) => title)).toEqual(['Input']);
});

const half = '\ud800';

it.each<[string, string, object]>([
  ['a message', '/conversations/:id/messages', { content: `a${half}b` }],
  ['a name of a message', '/conversations/:id/messages', { content: 'a', clientId: half }],
  ['a title', '/conversations', { title: half }],
  ['a system prompt', '/conversations', { systemPrompt: `a${half}` }],
])('refuses half a character in %s, which would be stored as another one', async (_what, path, body) => {
  const answer = await app.request('POST', path.replace(':id', conversationId), { token: user.accessToken, body });
  expect(codeOf(answer)).toBe('400 invalid_request');
});

it('refuses half a character in a message that comes over a socket', async () => {
  const socket = await connectRaw(app.url, user.accessToken);
  const answer = await socket.ask('message:send', { conversationId, content: half, clientId: 'half' });
  socket.close();
  expect(answer).toMatchObject({ ok: false, error: { type: 'invalid_request' } });
});

it.each<[string, Uint8Array | string, Record<string, string>, string, string]>([
  ['bytes that are no UTF-8', Buffer.from('{"content":"\xe9"}', 'latin1'), {}, '400 malformed_json', 'UTF-8'],
  ['text alone', '"a"', {}, '400 invalid_request', 'body'],
  ['what is not compressed', '{"content":"a"}', { 'content-encoding': 'gzip' }, '400 invalid_request', 'compressed'],
  ['what is no brotli', '{"content":"a"}', { 'content-encoding': 'br' }, '400 invalid_request', 'compressed'],
])('refuses %s as a body, and says why', async (_what, body, headers, code, word) => {
  const answer = await fetch(`${app.url}/api/v1/conversations/${conversationId}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${user.accessToken}`, 'content-type': 'application/json', ...headers },
    body,
  });
  const problem = (await answer.json()) as { code: string; detail: string };
  expect(codeOf({ status: answer.status, body: problem })).toBe(code);
  expect(problem.detail).toContain(word);
});

it('refuses another message under a clientId that was used, and answers the same one again', async () => {
  const token = user.accessToken;
  const path = `/conversations/${conversationId}/messages`;
  const send = (content: string) =>
    app.request('POST', path, { token, body: { content, clientId: 'used', reply: false } });
  const first = await send('one');
  expect(codeOf(await send('two'))).toBe('409 conflict');
  const socket = await connectRaw(app.url, token);
  const asked = await socket.ask('message:send', { conversationId, content: 'two', clientId: 'used', reply: false });
  expect(asked).toMatchObject({ ok: false, error: { type: 'conflict' } });
  socket.close();
  const { id } = first.body.message;
  await app.request('PATCH', `/messages/${id}`, { token, body: { content: 'changed' } });
  const again = await send('one');
  expect([again.status, again.body.message.id, again.body.message.content]).toEqual([202, id, 'changed']);
});

it('answers HEAD for the stream of a running reply at once', async () => {
  const reply = await scriptReply(app.ctx, conversationId);
  const writer = await reply.attempt(1);
  const answer = await fetch(`${app.url}/api/v1/messages/${reply.messageId}/stream`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${user.accessToken}` },
    signal: AbortSignal.timeout(5_000),
  });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  await expect(answer.text()).resolves.toBe('');
  await writer.stop();
});

it('lets every origin in when CORS_ORIGINS is *', async () => {
  const open = await startTestApp({ env: { CORS_ORIGINS: '*' } });
  const answer = await fetch(`${open.url}/api/v1/auth/me`, { headers: { origin: 'https://example.com' } });
  await open.close();
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
});

it('spares browsers most preflights, and lets their scripts read what limits and files say in headers', async () => {
  const open = await startTestApp({ env: { CORS_ORIGINS: 'https://example.com', RATE_LIMIT_PER_MINUTE: '5' } });
  const url = `${open.url}/api/v1/auth/me`;
  const headers = { origin: 'https://example.com', 'access-control-request-method': 'GET' };
  const preflight = await fetch(url, { method: 'OPTIONS', headers });
  const answer = await fetch(url, { headers });
  await open.close();
  expect([preflight.status, preflight.headers.get('access-control-max-age')]).toEqual([204, '7200']);
  const exposed = answer.headers.get('access-control-expose-headers')?.split(',');
  const limits = [...answer.headers.keys()].filter((name) => name.startsWith('ratelimit-'));
  expect(limits).toHaveLength(3);
  expect(exposed).toEqual(expect.arrayContaining([...limits, 'x-request-id', 'etag', 'retry-after', 'content-range']));
});

it('limits callers who are nobody, without taking anything from those who are somebody', async () => {
  const limited = await startTestApp({ env: { RATE_LIMIT_PER_MINUTE: '5' } });
  const somebody = await limited.registerUser();
  const forged = { token: `mr_${'0'.repeat(32)}_${'a'.repeat(43)}` };
  const statuses: number[] = [];
  for (let tries = 0; tries < 7; tries += 1) {
    statuses.push((await limited.request('GET', '/auth/me', forged)).status);
  }
  const own = await limited.request('GET', '/auth/me', { token: somebody.accessToken });
  await limited.close();
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  expect(own.status).toBe(200);
});

it('counts the addresses of one network, with or without a port, as one caller', async () => {
  const limited = await startTestApp({ env: { RATE_LIMIT_PER_MINUTE: '5', TRUST_PROXY: '1' } });
  const left = async (address: string): Promise<string | null> => {
    const headers = { 'x-forwarded-for': address };
    return (await limited.request('POST', '/auth/login', { headers, body: {} })).headers.get('ratelimit-remaining');
  };
  const addresses = ['192.0.2.7', '192.0.2.7:50123', '2001:db8::1', '2001:db8::2', '192.0.2.8'];
  const answers: (string | null)[] = [];
  for (const address of addresses) answers.push(await left(address));
  await limited.close();
  expect(answers).toEqual(['4', '3', '4', '3', '4']);
});
