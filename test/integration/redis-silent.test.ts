import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';

let app: TestApp;
let owner: TestUser;
let members: TestUser[];
beforeAll(async () => {
  app = await startTestApp();
  owner = await app.registerUser();
  members = [await app.registerUser(), await app.registerUser(), await app.registerUser()];
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => app.close());

const ask = (method: string, path: string, body?: unknown) =>
  app.request(method, path, { token: owner.accessToken, body });

/** Redis answers nothing until it has been given `count` orders: who sends one after the other is never answered. */
function answerAfter(count: number): void {
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => (answer = resolve));
  let orders = 0;
  vi.spyOn(app.ctx.publisher, 'control').mockImplementation(() => {
    orders += 1;
    if (orders >= count) answer();
    return answered;
  });
}

it.each([
  ['/conversations', 'members', { history: 'all' }],
  ['/documents', 'access', { level: 'view' }],
])('a Redis that is slow to answer is waited for once when one of %s is deleted', async (path, list, right) => {
  const { body } = await ask('POST', path, { title: 'Shared' });
  for (const { user } of members) {
    expect((await ask('PUT', `${path}/${body.id}/${list}/${user.id}`, right)).status).toBe(200);
  }
  answerAfter(members.length);
  expect((await ask('DELETE', `${path}/${body.id}`)).status).toBe(204);
});
