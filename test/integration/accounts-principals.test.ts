import { v7 as uuidv7 } from 'uuid';
import { afterAll, expect, test } from 'vitest';
import { createPrincipalCache } from '../../shared/accounts/principal-cache.js';
import { controlChannel } from '../../shared/realtime/publisher.js';
import { connectRedis } from '../../shared/redis.js';
import { startTestApp } from '../support/app.js';

const app = await startTestApp();
afterAll(app.close);

test('fifty users who post hard cost few queries', async () => {
  const { database, config, logger } = app.ctx;
  const users = await Promise.all(Array.from({ length: 50 }, () => app.registerUser()));
  let queries = 0;
  const counted: typeof database.query = (...args) => {
    queries += 1;
    return database.query(...args);
  };
  const principals = createPrincipalCache({ database: { query: counted }, config: config.accounts, logger });
  const endsAt = performance.now() + 1_200;
  let requests = 0;
  await Promise.all(
    users.map(async ({ accessToken, user }) => {
      while (performance.now() < endsAt) {
        expect((await principals.resolve(accessToken)).userId).toBe(user.id);
        requests += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }),
  );
  expect(requests).toBeGreaterThan(2_000);
  expect(queries).toBeLessThanOrEqual(50 * 4);
});

test('a change is told to every process, and also works when nobody hears it', async () => {
  const listener = connectRedis(app.ctx.config.redis.url, 'subscriber', app.ctx.logger);
  const heard: string[] = [];
  await listener.subscribe(controlChannel);
  listener.on('message', (_channel, message: string) => heard.push(message));
  try {
    const { accessToken, refreshToken, user } = await app.registerUser();
    const expected = JSON.stringify({ type: 'principal-changed', userId: user.id });
    const changes: [string, string, unknown?][] = [
      ['PATCH', '/auth/me', { name: 'New' }],
      ['POST', '/auth/logout'],
    ];
    for (const [method, path, body] of changes) {
      heard.length = 0;
      expect((await app.request(method, path, { token: accessToken, body })).status).toBeLessThan(300);
      await expect.poll(() => heard).toContain(expected);
    }
    const other = await app.registerUser();
    await app.request('POST', '/auth/refresh', { body: { refreshToken: other.refreshToken } });
    heard.length = 0;
    await app.request('POST', '/auth/refresh', { body: { refreshToken: other.refreshToken } });
    await expect.poll(() => heard).toContain(JSON.stringify({ type: 'principal-changed', userId: other.user.id }));
    expect((await app.request('POST', '/auth/refresh', { body: { refreshToken } })).status).toBe(401);
  } finally {
    listener.disconnect();
  }
});

test('usage is summed by day, account and model; others see only their own', async () => {
  const [admin, one, other] = [
    await app.registerUser({ role: 'admin' }),
    await app.registerUser(),
    await app.registerUser(),
  ];
  const add = (userId: string, model: string, createdAt: string, input: number) =>
    app.ctx.database.query(
      `INSERT INTO usage (id, user_id, conversation_id, message_id, attempt, model, input_tokens, output_tokens,
                          cache_read_tokens, cache_write_tokens, created_at)
       VALUES ($1, $2, $3, $4, 1, $5, $6, 2, 3, 4, $7)`,
      [uuidv7(), userId, uuidv7(), uuidv7(), model, input, createdAt],
    );
  await add(one.user.id, 'm', '2026-01-01T23:59:59.999Z', 10);
  await add(one.user.id, 'm', '2026-01-02T00:00:00Z', 2_000_000_000);
  await add(one.user.id, 'm', '2026-01-02T12:00:00Z', 2_000_000_000);
  await add(one.user.id, 'n', '2026-01-02T12:00:00Z', 1);
  await add(other.user.id, 'm', '2026-01-02T12:00:00Z', 5);
  const usage = async (token: string, query: string) => (await app.request('GET', `/usage?${query}`, { token })).body;
  const range = 'from=2026-01-01&to=2026-01-02';

  const own = await usage(one.accessToken, range);
  expect(
    own.items.map(({ day, model, attempts, inputTokens }: Record<string, unknown>) => [
      day,
      model,
      attempts,
      inputTokens,
    ]),
  ).toEqual([
    ['2026-01-02', 'm', 2, 4_000_000_000],
    ['2026-01-02', 'n', 1, 1],
    ['2026-01-01', 'm', 1, 10],
  ]);
  expect(own.items[0]).toMatchObject({ userId: one.user.id, outputTokens: 4, cacheReadTokens: 6, cacheWriteTokens: 8 });
  expect(own.items[0].costUsd).toBeNull();
  await add(one.user.id, 'claude-sonnet-5-5', '2025-03-01T12:00:00Z', 1_000_000);
  const [priced] = (await usage(one.accessToken, 'from=2025-03-01&to=2025-03-01')).items;
  expect(priced).toMatchObject({ inputTokens: 1_000_000, costUsd: 2.00003 });
  expect((await usage(one.accessToken, `${range}&userId=${one.user.id}`)).items).toHaveLength(3);
  expect((await usage(one.accessToken, `${range}&userId=${other.user.id}`)).code).toBe('forbidden');
  expect((await usage(admin.accessToken, `${range}&userId=${other.user.id}`)).items).toHaveLength(1);
  expect((await usage(one.accessToken, 'to=2026-01-01')).items).toHaveLength(1);
  expect((await usage(one.accessToken, 'from=2026-01-03')).items).toEqual([]);

  const all = (await usage(admin.accessToken, range)).items;
  expect(all).toHaveLength(4);
  const paged: unknown[] = [];
  let cursor = '';
  do {
    const page = await usage(admin.accessToken, `${range}&limit=1${cursor}`);
    paged.push(...page.items);
    cursor = page.nextCursor ? `&cursor=${page.nextCursor}` : '';
  } while (cursor);
  expect(paged).toEqual(all);
});
