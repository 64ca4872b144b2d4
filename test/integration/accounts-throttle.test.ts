import { afterAll, afterEach, expect, test } from 'vitest';
import { ownRedis } from '../support/stack.js';
import { startTestApp, type TestApp } from '../support/app.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});
const redis = await ownRedis();
afterAll(redis.remove);

async function start(options: Parameters<typeof startTestApp>[0] = {}): Promise<TestApp> {
  const env = { LOGIN_ATTEMPTS_PER_QUARTER_HOUR: '5', TRUST_PROXY: '1', ...options.env };
  const app = await startTestApp({ ...options, env });
  open.push(app);
  return app;
}

function logIn(app: TestApp, email: string, password: string, address = '192.0.2.1') {
  return app.request('POST', '/auth/login', { body: { email, password }, headers: { 'x-forwarded-for': address } });
}

test('an account takes five wrong passwords, from wherever they come', async () => {
  const app = await start();
  const { email, password } = await app.registerUser();
  for (let count = 1; count <= 5; count += 1) {
    expect((await logIn(app, email, 'wrong', `192.0.2.${count}`)).status).toBe(401);
  }
  const refused = await logIn(app, email, password, '192.0.2.99');
  expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
  const wait = Number(refused.headers.get('retry-after'));
  expect(wait).toBeGreaterThan(890);
  expect(wait).toBeLessThanOrEqual(900);
  expect((await logIn(app, email.toUpperCase(), 'wrong', '192.0.2.98')).status).toBe(429);
});

test('right passwords do not count', async () => {
  const app = await start();
  const { email, password } = await app.registerUser();
  const answers = await Promise.all(Array.from({ length: 30 }, () => logIn(app, email, password)));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
});

test('forty guesses at once are few guesses', async () => {
  const app = await start();
  const { email } = await app.registerUser();
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) => logIn(app, email, `wrong ${index}`, `192.0.2.${index}`)),
  );
  expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(6);
  expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(34);
});

test('an address takes twice as many, whatever the accounts, and the others are not hindered', async () => {
  const app = await start();
  const { email, password } = await app.registerUser();
  for (let count = 1; count <= 10; count += 1) {
    expect((await logIn(app, `nobody-${count}@example.com`, 'wrong', '2001:db8::1')).status).toBe(401);
  }
  expect((await logIn(app, email, password, '2001:db8::2')).status).toBe(429);
  expect((await logIn(app, email, password, '2001:db8:0:1::2')).status).toBe(200);
});

test('two processes count together', async () => {
  const one = await start();
  const { url } = one.ctx.config.redis;
  const other = await start({ databaseUrl: one.ctx.config.database.url, redisUrl: url });
  const { email } = await one.registerUser();
  for (let count = 0; count < 5; count += 1) await logIn(count % 2 ? one : other, email, 'wrong');
  expect((await logIn(one, email, 'wrong')).status).toBe(429);
  expect((await logIn(other, email, 'wrong')).status).toBe(429);
});

test('guessing the password of a session that one holds is counted too', async () => {
  const app = await start();
  const { accessToken: token } = await app.registerUser();
  const body = { currentPassword: 'wrong', password: 'another horse battery' };
  for (let count = 0; count < 5; count += 1)
    expect((await app.request('PATCH', '/auth/me', { token, body })).status).toBe(401);
  expect((await app.request('PATCH', '/auth/me', { token, body })).status).toBe(429);
});

test('registrations of one address are bounded', async () => {
  const app = await start({ env: { LOGIN_ATTEMPTS_PER_QUARTER_HOUR: '1' } });
  const register = (index: number) =>
    app.request('POST', '/auth/register', {
      body: { email: `r${index}@example.com`, name: 'R', password: 'a password of ten' },
    });
  const answers = await Promise.all(Array.from({ length: 25 }, (_, index) => register(index)));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
  expect(answers.filter(({ body }) => body.code === 'rate_limited')).toHaveLength(5);
});

test('without Redis it counts in memory and is no slower', async () => {
  const app = await start({ redisUrl: redis.url });
  const { email, password } = await app.registerUser();
  await redis.stop();
  await expect.poll(() => app.ctx.redis.status).not.toBe('ready');
  const startedAt = performance.now();
  expect((await logIn(app, email, password)).status).toBe(200);
  // A command that waits for Redis is given up after 2 s.
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  for (let count = 0; count < 5; count += 1) expect((await logIn(app, email, 'wrong')).status).toBe(401);
  expect((await logIn(app, email, 'wrong')).status).toBe(429);
});

test('a Redis that hangs holds nobody up', async () => {
  const hanging = await ownRedis();
  try {
    const app = await start({ redisUrl: hanging.url });
    const { email, password } = await app.registerUser();
    await app.ctx.redis.client('PAUSE', 60_000, 'ALL');
    const startedAt = performance.now();
    expect((await logIn(app, email, password)).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    for (let count = 0; count < 5; count += 1) expect((await logIn(app, email, 'wrong')).status).toBe(401);
    expect((await logIn(app, email, 'wrong')).status).toBe(429);
  } finally {
    await hanging.remove();
  }
});
