import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Answer, startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { makeDocument, share } from '../support/documents.js';
import { connectRaw, type RawSocket } from '../support/sockets.js';

let app: TestApp;
let ada: TestUser;
let ben: TestUser;
const sockets: RawSocket[] = [];

beforeAll(async () => {
  app = await startTestApp();
  ada = await app.registerUser({ name: 'Ada' });
  ben = await app.registerUser({ name: 'Ben' });
});
afterEach(() => sockets.splice(0).forEach((socket) => socket.close()));
afterAll(() => app.close());

const call = (user: TestUser, method: string, path: string, body?: object): Promise<Answer> =>
  app.request(method, path, { token: user.accessToken, body });

async function connect(user: TestUser): Promise<RawSocket> {
  const socket = await connectRaw(app.url, user.accessToken);
  sockets.push(socket);
  return socket;
}

test('an edit by Claude that is cancelled while it waits has ended for all who watch', async () => {
  const admin = await app.registerUser({ role: 'admin' });
  const id = await makeDocument(app, ada, { title: 'T', content: 'some text' });
  const watching = await connect(ada);
  await watching.ask('document:join', { documentId: id, clientId: 7 });
  const access = `/documents/${id}/access/${ben.user.id}`;
  const cy = await app.registerUser({ name: 'Cy' });
  await share(app, ada, id, cy);
  const ways: [TestUser, (jobId: string) => Promise<Answer>][] = [
    [ben, (jobId) => call(ben, 'POST', `/jobs/${jobId}/cancel`)],
    [ben, () => call(ada, 'PUT', access, { level: 'view' })],
    [ben, () => call(ben, 'DELETE', access)],
    [cy, () => call(admin, 'PATCH', `/users/${cy.user.id}`, { disabled: true })],
  ];
  for (const [user, cancel] of ways) {
    if (user === ben) await share(app, ada, id, ben);
    // There is no worker: what is asked for waits.
    const { suggestionId, jobId } = (await call(user, 'POST', `/documents/${id}/edits`, { instruction: 'x' })).body;
    const owner = await connect(user);
    expect(await owner.ask('job:watch', { jobId })).toMatchObject({ ok: true });
    expect((await cancel(jobId)).status).toBeLessThan(300);
    const ended = { documentId: id, suggestionId, jobId };
    expect(await watching.event('suggestion:failed', (payload) => payload.jobId === jobId)).toEqual(ended);
    // Who is disabled is not connected any more.
    if (user === ben) await owner.event('job:progress', ({ state }) => state === 'cancelled');
    await app.ctx.database.query('DELETE FROM jobs WHERE id = $1', [jobId]);
    const { body } = await call(ada, 'GET', `/documents/${id}/suggestions/${suggestionId}`);
    expect(body).toMatchObject({ state: 'cancelled', completedAt: expect.any(String) });
    expect(body.error?.code).toBe(user === cy ? 'account_disabled' : undefined);
  }
});

test('an edit by Claude that is tried again waits again, for whoever reads it', async () => {
  const id = await makeDocument(app, ada, { title: 'T', content: 'some text' });
  const { suggestionId, jobId } = (await call(ada, 'POST', `/documents/${id}/edits`, { instruction: 'x' })).body;
  const failed = `state = 'failed', error = '{"code": "internal", "message": "x"}'`;
  await app.ctx.database.query(`UPDATE jobs SET ${failed}, finished_at = now() WHERE id = $1`, [jobId]);
  await app.ctx.database.query(`UPDATE document_suggestions SET ${failed}, completed_at = now() WHERE id = $1`, [
    suggestionId,
  ]);
  const read = async () => (await call(ada, 'GET', `/documents/${id}/suggestions/${suggestionId}`)).body;
  expect(await read()).toMatchObject({ state: 'failed', error: { code: 'internal' } });
  expect((await call(ada, 'POST', `/jobs/${jobId}/retry`)).status).toBe(202);
  expect(await read()).toMatchObject({ state: 'queued', error: null, completedAt: null });
});
