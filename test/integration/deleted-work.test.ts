import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { makeDocument, share } from '../support/documents.js';
import { eventually } from '../support/eventually.js';
import { connectRaw } from '../support/sockets.js';

let app: TestApp;
let ada: TestUser;
let ben: TestUser;

// Without workers, whose sweep would find the places in time.
beforeAll(async () => {
  app = await startTestApp({ env: { REPLIES_PER_USER: '1' } });
  ada = await app.registerUser();
  ben = await app.registerUser();
});
afterAll(() => app.close());

const call = (user: TestUser, method: string, path: string, body?: object) =>
  app.request(method, path, { token: user.accessToken, body });

const stateOf = async (jobId: string): Promise<string> => (await call(ben, 'GET', `/jobs/${jobId}`)).body.state;

/** Ben asks for something on each of two paths: the one has his place in the queue, the other waits for it. */
async function askTwice(paths: string[], body: object): Promise<[string, string]> {
  const asked: string[] = [];
  for (const path of paths) {
    const answer = await call(ben, 'POST', path, body);
    asked.push(answer.body.jobId);
    await eventually(async () => expect(await stateOf(asked[0] ?? '')).toBe('queued'));
  }
  const [first = '', second = ''] = asked;
  expect(await stateOf(second)).toBe('pending');
  return [first, second];
}

test('what waits takes the place of an edit whose document is deleted', async () => {
  const ids = [await makeDocument(app, ada), await makeDocument(app, ada)];
  for (const id of ids) await share(app, ada, id, ben);
  const paths = ids.map((id) => `/documents/${id}/edits`);
  const [first, second] = await askTwice(paths, { instruction: 'Make it better.' });
  expect((await call(ada, 'DELETE', `/documents/${ids[0]}`)).status).toBe(204);
  await eventually(async () => expect(await stateOf(second)).toBe('queued'));
  expect(await stateOf(first)).toBe('cancelled');
  await call(ada, 'DELETE', `/documents/${ids[1]}`);
});

test('what waits takes the place of a reply whose conversation is deleted', async () => {
  const made = [await call(ben, 'POST', '/conversations', {}), await call(ben, 'POST', '/conversations', {})];
  const ids = made.map(({ body }) => body.id as string);
  const [first, second] = await askTwice(
    ids.map((id) => `/conversations/${id}/messages`),
    { content: 'Hello' },
  );
  expect((await call(ben, 'DELETE', `/conversations/${ids[0]}`)).status).toBe(204);
  await eventually(async () => expect(await stateOf(second)).toBe('queued'));
  expect(await stateOf(first)).toBe('cancelled');
});

test('a job that is cancelled before a worker has it says so to who watches it', async () => {
  const as = async (token: string, method: string, path: string, body?: object) =>
    (await app.request(method, path, { token, body })).body;
  const admin = await app.registerUser({ role: 'admin' });
  const asker = await app.registerUser({ role: 'power' });
  const socket = await connectRaw(app.url, admin.accessToken);
  const talk = await as(asker.accessToken, 'POST', '/conversations', {});
  const other = await as(asker.accessToken, 'POST', '/conversations', {});
  const document = await as(asker.accessToken, 'POST', '/documents', { title: 'T', content: 'Text' });
  const ask = (path: string, body: object) => as(asker.accessToken, 'POST', path, body);
  // These have the places of their owner: the one behind them waits.
  for (const title of ['A', 'B']) await ask('/knowledge', { title, content: 'Text' });
  const jobs = {
    cancelled: await ask(`/conversations/${talk.id}/messages`, { content: 'One' }),
    reply: await ask(`/conversations/${talk.id}/messages`, { content: 'Two' }),
    inTalk: await ask(`/conversations/${talk.id}/messages`, { content: 'Three' }),
    edit: await ask(`/documents/${document.id}/edits`, { instruction: 'Shorter.' }),
    entry: await ask('/knowledge', { title: 'T', content: 'Text' }),
    disabled: await ask(`/conversations/${other.id}/messages`, { content: 'Four' }),
  };
  const told = async (jobId: string, method: string, path: string, body?: object, by = asker) => {
    expect(await socket.ask('job:watch', { jobId })).toMatchObject({ ok: true });
    await as(by.accessToken, method, path, body);
    await socket.event('job:progress', (event) => event.jobId === jobId && event.state === 'cancelled');
    expect(app.ctx.realtime.rooms.names()).not.toContain(`job:${jobId}`);
  };
  await told(jobs.cancelled.jobId, 'POST', `/jobs/${jobs.cancelled.jobId}/cancel`);
  await told(jobs.reply.jobId, 'POST', `/messages/${jobs.reply.reply.id}/cancel`);
  await told(jobs.inTalk.jobId, 'DELETE', `/conversations/${talk.id}`);
  await told(jobs.edit.jobId, 'POST', `/jobs/${jobs.edit.jobId}/cancel`);
  await told(jobs.entry.jobId, 'DELETE', `/knowledge/${jobs.entry.entry.id}`);
  await told(jobs.disabled.jobId, 'PATCH', `/users/${asker.user.id}`, { disabled: true }, admin);
  socket.close();
});
