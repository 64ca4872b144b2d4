import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answer, startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { connectRaw } from '../support/sockets.js';

let app: TestApp;
let user: TestUser;
beforeAll(async () => {
  app = await startTestApp();
  user = await app.registerUser();
});
afterAll(() => app.close());

const ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> =>
  app.request(method, path, { token: user.accessToken, body, headers });

async function make(path: string): Promise<string> {
  return (await ask('POST', path, { title: 'Spelt' })).body.id;
}

it('a key is the same one however the path is spelt', async () => {
  const key = { 'idempotency-key': 'spelt' };
  const paths = ['/conversations', '/conversations/', '/Conversations'];
  const made = await Promise.all(paths.map((path) => ask('POST', path, { title: 'Once' }, key)));
  expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
  const id = await make('/conversations');
  const posted = await Promise.all(
    [id, id.toUpperCase()].map((each) =>
      ask('POST', `/conversations/${each}/messages`, { content: 'Once', reply: false }, key),
    ),
  );
  expect(new Set(posted.map(({ body }) => body.message.id)).size).toBe(1);
});

it('a key of one user, or of one route, is another one than that of another', async () => {
  const key = { 'idempotency-key': 'shared' };
  const other = await app.registerUser();
  const made = [
    await ask('POST', '/conversations', { title: 'Mine' }, key),
    await app.request('POST', '/conversations', { token: other.accessToken, body: { title: 'Theirs' }, headers: key }),
    await ask('POST', '/documents', { title: 'A document' }, key),
  ];
  expect(made.map(({ status, headers }) => [status, headers.get('idempotency-replayed')])).toEqual(
    made.map(() => [201, null]),
  );
});

it('who joins by an id in capitals hears what others do, and others hear what is done by one', async () => {
  const conversationId = await make('/conversations');
  const documentId = await make('/documents');
  const socket = await connectRaw(app.url, user.accessToken);
  const joins = [
    await socket.ask('conversation:join', { conversationId: conversationId.toUpperCase() }),
    await socket.ask('document:join', { documentId: documentId.toUpperCase(), clientId: 1 }),
  ];
  expect(joins).toEqual([expect.objectContaining({ ok: true }), expect.objectContaining({ ok: true })]);
  await ask('POST', `/conversations/${conversationId}/messages`, { content: 'Hello', reply: false });
  await ask('PATCH', `/documents/${documentId.toUpperCase()}`, { title: 'Renamed' });
  expect(await socket.event('message:created')).toMatchObject({ conversationId });
  expect(await socket.event('document:renamed')).toEqual({ documentId, title: 'Renamed' });
  socket.close();
});

it('a tag is the same one, and a title is found, whether an accent comes with its letter or behind it', async () => {
  const power = await app.registerUser({ role: 'power' });
  const asPower = (method: string, path: string, body?: unknown): Promise<Answer> =>
    app.request(method, path, { token: power.accessToken, body });
  const [one, two] = ['Caf\u00e9', 'Cafe\u0301'];
  for (const spelt of [one, two]) {
    const made = await asPower('POST', '/knowledge', { title: spelt, content: 'Some text.', tags: [one, two] });
    expect(made.body.entry.tags).toEqual(['caf\u00e9']);
  }
  for (const query of [`tags=${one}`, `tags=${two}`, `q=${one}`, `q=${two}`]) {
    expect((await asPower('GET', `/knowledge?${encodeURI(query)}`)).body.items).toHaveLength(2);
  }
});

it.each(['%ff', '%E0%A4', '%ED%A0%80', 'a%C3'])('refuses a query that is not UTF-8: %s', async (q) => {
  const { status, body } = await ask('GET', `/knowledge/search?q=${q}`);
  expect([status, body.code, body.detail]).toEqual([400, 'invalid_request', expect.stringContaining('UTF-8')]);
});

it.each(['100%', '100%25', '%C3%A9', 'a+b%zz'])('takes a query of ordinary signs: %s', async (q) => {
  expect((await ask('GET', `/messages/search?q=${q}`)).status).toBe(200);
});

it.each([
  ['PUT', '/auth/me', 'GET, HEAD, PATCH'],
  ['GET', '/knowledge/files', 'POST'],
  ['DELETE', '/messages/search', 'GET, HEAD'],
])('%s %s is answered 405, with what is possible', async (method, path, allowed) => {
  const { status, body, headers } = await ask(method, path);
  expect([status, body.code, headers.get('allow')]).toEqual([405, 'method_not_allowed', allowed]);
});

it('names the first hundred mistakes of a body that has many more', async () => {
  const body = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`wrong${index}`, 1]));
  const answer = await ask('POST', '/conversations', body);
  expect([answer.status, answer.body.issues.length]).toEqual([400, 100]);
});
