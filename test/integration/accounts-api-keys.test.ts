import { afterAll, expect, test } from 'vitest';
import { startTestApp } from '../support/app.js';

const app = await startTestApp();
afterAll(app.close);
const second = await startTestApp({ databaseUrl: app.ctx.config.database.url, redisUrl: app.ctx.config.redis.url });
afterAll(second.close);

const me = (token: string) => app.request('GET', '/auth/me', { token });
const make = (token: string, body: unknown) => app.request('POST', '/auth/api-keys', { token, body });

test('a key is shown once, works, and is listed without its secret', async () => {
  const { accessToken: token, user } = await app.registerUser();
  const made = await make(token, { name: 'ci' });
  expect(made.status).toBe(201);
  const { key, ...view } = made.body;
  expect(key).toMatch(/^mr_[0-9a-f]{32}_[\w-]{43}$/);
  expect(view).toEqual({
    id: expect.any(String),
    name: 'ci',
    hint: key.slice(-4),
    createdAt: expect.any(String),
    expiresAt: null,
    lastUsedAt: null,
  });
  expect((await me(key)).body.id).toBe(user.id);
  const list = await app.request('GET', '/auth/api-keys', { token });
  expect(list.body.items).toHaveLength(1);
  expect(JSON.stringify(list.body)).not.toContain(key.slice(36));
});

test('its use is noted, at most once a minute', async () => {
  const { accessToken: token } = await app.registerUser();
  const { key, id } = (await make(token, { name: 'used' })).body;
  const lastUsed = async () => {
    const { rows } = await app.ctx.database.query<{ at: string | null }>(
      'SELECT last_used_at::text AS at FROM api_keys WHERE id = $1',
      [id],
    );
    return rows[0]?.at ?? null;
  };
  await me(key);
  await expect.poll(lastUsed).not.toBeNull();
  const first = await lastUsed();
  await app.ctx.database.query(
    `UPDATE api_keys SET last_used_at = last_used_at - interval '50 seconds' WHERE id = $1`,
    [id],
  );
  const before = await lastUsed();
  app.ctx.principals.forget((await me(token)).body.id);
  await me(key);
  expect(await lastUsed()).toBe(before);
  await app.ctx.database.query(
    `UPDATE api_keys SET last_used_at = last_used_at - interval '11 seconds' WHERE id = $1`,
    [id],
  );
  app.ctx.principals.forget((await me(token)).body.id);
  await me(key);
  await expect.poll(async () => ((await lastUsed()) ?? '') >= (first ?? '')).toBe(true);
});

test('a revoked key is refused here at once and elsewhere in moments', async () => {
  const { accessToken: token } = await app.registerUser();
  const { key, id } = (await make(token, { name: 'short-lived' })).body;
  const elsewhere = async () => (await second.request('GET', '/auth/me', { token: key })).status;
  expect(await elsewhere()).toBe(200);
  expect((await me(key)).status).toBe(200);
  expect((await app.request('DELETE', `/auth/api-keys/${id}`, { token })).status).toBe(204);
  expect((await me(key)).status).toBe(401);
  await expect.poll(elsewhere, { interval: 20, timeout: 5_000 }).toBe(401);
  expect((await app.request('DELETE', `/auth/api-keys/${id}`, { token })).status).toBe(404);
});

test('keys of others are out of reach', async () => {
  const [one, other] = [await app.registerUser(), await app.registerUser({ role: 'admin' })];
  const { id, key } = (await make(one.accessToken, { name: 'mine' })).body;
  expect((await app.request('DELETE', `/auth/api-keys/${id}`, { token: other.accessToken })).status).toBe(404);
  expect((await app.request('GET', '/auth/api-keys', { token: other.accessToken })).body.items).toEqual([]);
  expect((await me(key)).status).toBe(200);
});

test('a key makes no keys and has no session to end', async () => {
  const { accessToken } = await app.registerUser();
  const { key } = (await make(accessToken, { name: 'leaked' })).body;
  const made = await make(key, { name: 'another' });
  expect([made.status, made.body.code]).toEqual([403, 'forbidden']);
  expect((await app.request('POST', '/auth/logout', { token: key })).status).toBe(403);
  expect((await me(accessToken)).status).toBe(200);
});

test('a key ends when it expires', async () => {
  const { accessToken, user } = await app.registerUser();
  const past = await make(accessToken, { name: 'past', expiresAt: '2020-01-01T00:00:00Z' });
  expect([past.status, past.body.issues]).toEqual([400, [expect.objectContaining({ path: 'expiresAt' })]]);
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const { key, id, ...view } = (await make(accessToken, { name: 'hour', expiresAt })).body;
  expect(view.expiresAt).toBe(expiresAt);
  expect((await me(key)).status).toBe(200);
  await app.ctx.database.query('UPDATE api_keys SET expires_at = now() WHERE id = $1', [id]);
  app.ctx.principals.forget(user.id);
  expect((await me(key)).body.code).toBe('token_expired');
});

test('a key with another secret, or another id, is refused', async () => {
  const { accessToken } = await app.registerUser();
  const one = (await make(accessToken, { name: 'one' })).body.key as string;
  const other = (await make(accessToken, { name: 'other' })).body.key as string;
  const forged = [
    one.slice(0, 36) + other.slice(36),
    `${one.slice(0, -1)}${one.endsWith('A') ? 'B' : 'A'}`,
    `mr_${'0'.repeat(32)}_${one.slice(36)}`,
    one.slice(0, -1),
    `${one}A`,
    one.toUpperCase(),
    'mr_',
    `mr_${"'".repeat(32)}_${'x'.repeat(43)}`,
  ];
  for (const key of forged) {
    const answer = await me(key);
    expect([key, answer.status, answer.body.code]).toEqual([key, 401, 'unauthenticated']);
  }
});

test('an account has a bounded number of keys, however many are asked for at once', async () => {
  const { accessToken } = await app.registerUser();
  const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => make(accessToken, { name: `key ${n}` })));
  const made = answers.filter(({ status }) => status === 201);
  expect([made.length, answers.length - made.length]).toEqual([50, 10]);
  const oneMore = await make(accessToken, { name: 'one more' });
  expect([oneMore.status, oneMore.body.code]).toEqual([409, 'conflict']);
});
