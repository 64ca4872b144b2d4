import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { makeDocument, share } from '../support/documents.js';
import { eventually } from '../support/eventually.js';

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
