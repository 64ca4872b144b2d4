import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';

let app: TestApp;
let owner: TestUser;
let member: TestUser;
beforeAll(async () => {
  app = await startTestApp();
  owner = await app.registerUser();
  member = await app.registerUser();
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => app.close());

const ask = (method: string, path: string, body?: unknown) =>
  app.request(method, path, { token: owner.accessToken, body });

/** A Redis that takes orders and never answers. */
function silence(): void {
  const never = () => new Promise<never>(() => {});
  vi.spyOn(app.ctx.publisher, 'control').mockImplementation(never);
  vi.spyOn(app.ctx.publisher, 'emit').mockImplementation(never);
}

it.each([
  ['/conversations', 'members', { history: 'from-now' }, { history: 'all' }],
  ['/documents', 'access', { level: 'edit' }, { level: 'view' }],
])('who shares one of %s, or deletes it, does not wait for a silent Redis', async (path, list, right, change) => {
  const { body } = await ask('POST', path, { title: 'Shared' });
  const one = `${path}/${body.id}`;
  const theirs = `${one}/${list}/${member.user.id}`;
  silence();
  expect((await ask('PUT', theirs, right)).status).toBe(200);
  expect((await ask('PUT', theirs, change)).status).toBe(200);
  expect((await ask('DELETE', theirs)).status).toBe(204);
  expect((await ask('GET', `${one}/${list}`)).body.items).toHaveLength(1);
  expect((await ask('PUT', theirs, right)).status).toBe(200);
  expect((await ask('DELETE', one)).status).toBe(204);
  expect((await ask('GET', one)).status).toBe(404);
});
