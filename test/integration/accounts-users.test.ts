import { afterAll, beforeEach, expect, test } from 'vitest';
import { startTestApp, type TestUser } from '../support/app.js';

const app = await startTestApp();
afterAll(app.close);
const second = await startTestApp({ databaseUrl: app.ctx.config.database.url, redisUrl: app.ctx.config.redis.url });
afterAll(second.close);

/** The only admin at the start of each test. */
let admin: TestUser;
beforeEach(async () => {
  await app.ctx.database.query(`UPDATE users SET role = 'regular' WHERE role = 'admin'`);
  admin = await app.registerUser({ role: 'admin', name: 'Root' });
});

const change = (by: TestUser, id: string, body: unknown) =>
  app.request('PATCH', `/users/${id}`, { token: by.accessToken, body });
const statusOfMe = async (token: string) => (await app.request('GET', '/auth/me', { token })).status;

async function enabledAdmins(): Promise<number> {
  const { rows } = await app.ctx.database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM users WHERE role = 'admin' AND disabled_at IS NULL`,
  );
  return rows[0]?.count ?? 0;
}

test('the list is for admins, in pages, and found by name and e-mail', async () => {
  const people = [];
  for (const name of ['100% Ada', '100x Bob', 'Cæsar']) people.push(await app.registerUser({ name }));
  const list = (query: string, token = admin.accessToken) => app.request('GET', `/users?${query}`, { token });

  expect((await list('', people[0]?.accessToken)).body.code).toBe('forbidden');
  const seen: string[] = [];
  let cursor = '';
  do {
    const { status, body } = await list(`limit=2${cursor}`);
    expect(status).toBe(200);
    expect(body.items.length).toBeLessThanOrEqual(2);
    seen.push(...body.items.map((item: { id: string }) => item.id));
    cursor = body.nextCursor ? `&cursor=${body.nextCursor}` : '';
  } while (cursor);
  const { rows } = await app.ctx.database.query<{ id: string }>('SELECT id FROM users ORDER BY id');
  expect(seen).toEqual(rows.map(({ id }) => id));

  expect((await list('q=100%25')).body.items.map(({ name }: { name: string }) => name)).toEqual(['100% Ada']);
  expect((await list('q=C%C3%86S')).body.items).toHaveLength(1);
  expect((await list(`q=${people[1]?.email.toUpperCase()}`)).body.items[0].id).toBe(people[1]?.user.id);
  expect((await list('q=_')).body.items).toEqual([]);
  const text = JSON.stringify((await list('limit=100')).body);
  expect(text).not.toContain('argon2');
  expect(text).not.toContain('password');
});

test.each(['xyz', 'e30', 'bnVsbA', Buffer.from('{"id":"1"}').toString('base64url'), '%00'])(
  'a cursor that is none is refused: %s',
  async (cursor) => {
    const answer = await app.request('GET', `/users?cursor=${cursor}`, { token: admin.accessToken });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_cursor']);
  },
);

test('a change of role takes effect at once', async () => {
  const user = await app.registerUser();
  expect((await app.request('GET', '/users', { token: user.accessToken })).status).toBe(403);
  const changed = await change(admin, user.user.id, { role: 'admin' });
  expect([changed.status, changed.body.role]).toEqual([200, 'admin']);
  expect((await app.request('GET', '/users', { token: user.accessToken })).status).toBe(200);
  expect((await change(admin, user.user.id, { role: 'guest' })).body.role).toBe('guest');
  expect((await app.request('GET', '/users', { token: user.accessToken })).status).toBe(403);
});

test('a disabled account is out in moments everywhere, with its keys, until it is enabled', async () => {
  const user = await app.registerUser();
  const { key } = (await app.request('POST', '/auth/api-keys', { token: user.accessToken, body: { name: 'k' } })).body;
  const elsewhere = async (token: string) => {
    const { status, body } = await second.request('GET', '/auth/me', { token });
    return status === 200 ? 'ok' : (body.code as string);
  };
  expect(await Promise.all([elsewhere(user.accessToken), elsewhere(key)])).toEqual(['ok', 'ok']);

  const changed = await change(admin, user.user.id, { disabled: true });
  expect([changed.status, changed.body.disabled]).toEqual([200, true]);
  expect(await statusOfMe(user.accessToken)).toBe(403);
  expect(await statusOfMe(key)).toBe(403);
  await expect.poll(() => elsewhere(user.accessToken), { interval: 20, timeout: 5_000 }).toBe('account_disabled');
  await expect.poll(() => elsewhere(key), { interval: 20, timeout: 5_000 }).toBe('account_disabled');

  const credentials = { email: user.email, password: user.password };
  const login = await app.request('POST', '/auth/login', { body: credentials });
  expect([login.status, login.body.code]).toEqual([403, 'account_disabled']);
  const guess = await app.request('POST', '/auth/login', { body: { ...credentials, password: 'wrong' } });
  expect(guess.body.code).toBe('invalid_credentials');
  const refreshed = await app.request('POST', '/auth/refresh', { body: { refreshToken: user.refreshToken } });
  expect(refreshed.status).toBe(403);

  expect((await change(admin, user.user.id, { disabled: false })).body.disabled).toBe(false);
  expect(await statusOfMe(key)).toBe(200);
  expect(await statusOfMe(user.accessToken)).toBe(401);
  expect((await app.request('POST', '/auth/login', { body: credentials })).status).toBe(200);
});

test('logins that race with disabling leave no session', async () => {
  for (let round = 0; round < 3; round += 1) {
    const user = await app.registerUser();
    const body = { email: user.email, password: user.password };
    await Promise.all([
      ...Array.from({ length: 6 }, () => app.request('POST', '/auth/login', { body })),
      change(admin, user.user.id, { disabled: true }),
    ]);
    const { rows } = await app.ctx.database.query('SELECT 1 FROM sessions WHERE user_id = $1 AND revoked_at IS NULL', [
      user.user.id,
    ]);
    expect(rows).toEqual([]);
  }
});

test('the last admin cannot be demoted or disabled', async () => {
  expect(await enabledAdmins()).toBe(1);
  for (const body of [{ role: 'regular' }, { disabled: true }, { role: 'guest', disabled: true }]) {
    const answer = await change(admin, admin.user.id, body);
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
  }
  expect(await statusOfMe(admin.accessToken)).toBe(200);
  expect((await change(admin, admin.user.id, { role: 'admin', disabled: false })).status).toBe(200);
});

test('two last admins who demote or disable each other at once: one stays', async () => {
  for (let round = 0; round < 6; round += 1) {
    const other = await app.registerUser({ role: 'admin' });
    const body = round % 2 === 0 ? { role: 'regular' } : { disabled: true };
    const answers = await Promise.all([change(admin, other.user.id, body), change(other, admin.user.id, body)]);
    expect(await enabledAdmins()).toBe(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status } of answers) expect([200, 401, 403, 409]).toContain(status);
    await app.ctx.database.query(`UPDATE users SET role = 'regular' WHERE role = 'admin'`);
    admin = await app.registerUser({ role: 'admin' });
  }
});

test('somebody is found by their exact e-mail, by all but guests', async () => {
  const [one, other, guest] = [
    await app.registerUser(),
    await app.registerUser(),
    await app.registerUser({ role: 'guest' }),
  ];
  const lookUp = (token: string, email: string) =>
    app.request('GET', `/users/lookup?email=${encodeURIComponent(email)}`, { token });
  const found = await lookUp(one.accessToken, other.email.toUpperCase());
  expect([found.status, found.body]).toEqual([200, { id: other.user.id, name: 'Ada' }]);
  expect((await lookUp(one.accessToken, 'nobody@example.com')).status).toBe(404);
  expect((await lookUp(one.accessToken, 'example.com')).status).toBe(400);
  expect((await lookUp(guest.accessToken, other.email)).status).toBe(403);
  await change(admin, other.user.id, { disabled: true });
  expect((await lookUp(one.accessToken, other.email)).status).toBe(404);
});

test('changing others is for admins, and only of accounts that exist', async () => {
  const user = await app.registerUser({ role: 'power' });
  expect((await change(user, user.user.id, { role: 'admin' })).status).toBe(403);
  expect((await change(admin, '01890000-0000-7000-8000-000000000001', { role: 'guest' })).status).toBe(404);
  expect((await change(admin, 'nobody', { role: 'guest' })).status).toBe(404);
  for (const body of [{}, { role: 'root' }, { role: null }, { disabled: 'yes' }, { email: 'x@example.com' }, [], 'x']) {
    const answer = await change(admin, user.user.id, body);
    expect([body, answer.status]).toEqual([body, 400]);
  }
  expect((await app.request('GET', '/auth/me', { token: user.accessToken })).body.role).toBe('power');
});

test('an admin gives somebody a new password: the old one and the sessions are over', async () => {
  const user = await app.registerUser({ name: 'Forgetful' });
  const logIn = (password: string) => app.request('POST', '/auth/login', { body: { email: user.email, password } });

  expect((await change(user, user.user.id, { newPassword: 'not mine to set' })).status).toBe(403);
  expect((await change(admin, user.user.id, { newPassword: 'short' })).status).toBe(400);
  expect((await change(admin, user.user.id, { newPassword: 'a new long password' })).status).toBe(200);

  expect(await statusOfMe(user.accessToken)).toBe(401);
  const refreshed = await app.request('POST', '/auth/refresh', { body: { refreshToken: user.refreshToken } });
  expect(refreshed.status).toBe(401);
  expect((await logIn(user.password)).status).toBe(401);
  expect((await logIn('a new long password')).status).toBe(200);
});
