import { afterAll, expect, test } from 'vitest';
import { type Answer, startTestApp } from '../support/app.js';

const app = await startTestApp();
afterAll(app.close);
// The first account of all is an admin; the tests are about those after it.
await app.registerUser();

const password = 'correct horse battery';
const post = (path: string, body: unknown, token?: string) => app.request('POST', path, { body, token });

test('of twenty registrations at once as the first account exactly one becomes admin', async () => {
  const empty = await startTestApp();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      empty.request('POST', '/auth/register', {
        body: { email: `first-${index}@example.com`, name: `First ${index}`, password },
      }),
    ),
  );
  await empty.close();
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  const roles = answers.map(({ body }) => body.user.role as string);
  expect(roles.filter((role) => role === 'admin')).toHaveLength(1);
  expect(roles.filter((role) => role === 'regular')).toHaveLength(19);
});

test('one e-mail in any case, at once, is one account', async () => {
  const emails = ['grace@example.com', 'Grace@Example.com', 'GRACE@EXAMPLE.COM', ' grace@example.com '];
  const answers = await Promise.all(
    [...emails, ...emails].map((email) => post('/auth/register', { email, name: 'Grace', password })),
  );
  const taken = answers.filter(({ status, body }) => status === 409 && body.code === 'email_taken');
  expect(taken).toHaveLength(7);
  expect(answers.find(({ status }) => status === 201)?.body.user.email).toBe('grace@example.com');
  const loggedIn = await post('/auth/login', { email: 'gRACE@example.com', password });
  expect(loggedIn.status).toBe(200);
});

test('registering signs in, and says for how long', async () => {
  const { status, body, headers } = await post('/auth/register', {
    email: 'new@example.com',
    name: ' New  ',
    password,
  });
  expect(status).toBe(201);
  expect(body).toEqual({
    user: {
      id: expect.any(String),
      email: 'new@example.com',
      name: 'New',
      role: 'regular',
      disabled: false,
      createdAt: expect.any(String),
    },
    accessToken: expect.any(String),
    refreshToken: expect.any(String),
    expiresIn: 900,
  });
  expect(headers.get('cache-control')).toBe('no-store');
  const me = await app.request('GET', '/auth/me', { token: body.accessToken });
  expect(me.body).toEqual(body.user);
});

type Timed = { answer: Answer; median: number };

test('a wrong password and an unknown e-mail look alike, and take alike', async () => {
  const { email } = await app.registerUser();
  const tries = [{ email }, { email: 'nobody@example.com' }].map((who) => ({
    body: { ...who, password: 'wrong horse battery' },
    answers: [] as Answer[],
    times: [] as number[],
  }));
  // In turn: what else the machine has to do changes, and should count for both alike.
  for (let count = 0; count < 8; count += 1) {
    for (const { body, answers, times } of tries) {
      const startedAt = performance.now();
      answers.push(await post('/auth/login', body));
      times.push(performance.now() - startedAt);
    }
  }
  const [wrong, unknown] = tries.map(({ answers, times }) => ({
    answer: answers[0] as Answer,
    median: times.toSorted((one, other) => one - other)[4] ?? 0,
  })) as [Timed, Timed];
  expect(wrong.answer.status).toBe(401);
  const { requestId: one, ...ofWrong } = wrong.answer.body;
  const { requestId: other, ...ofUnknown } = unknown.answer.body;
  expect(ofWrong).toEqual(ofUnknown);
  expect(one).not.toBe(other);
  expect(ofWrong.code).toBe('invalid_credentials');
  expect(unknown.median / wrong.median).toBeGreaterThan(0.4);
  expect(unknown.median / wrong.median).toBeLessThan(2.5);
});

test('fifty logins at once all succeed', async () => {
  const { email } = await app.registerUser();
  const answers = await Promise.all(Array.from({ length: 50 }, () => post('/auth/login', { email, password })));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
});

test('logging out ends this session and no other', async () => {
  const { accessToken, refreshToken, email } = await app.registerUser();
  const other = await post('/auth/login', { email, password });
  expect((await app.request('GET', '/auth/me', { token: accessToken })).status).toBe(200);
  const answer = await app.request('POST', '/auth/logout', { token: accessToken });
  expect(answer.status).toBe(204);
  expect(answer.body).toBe('');
  const after = await app.request('GET', '/auth/me', { token: accessToken });
  expect([after.status, after.body.code]).toEqual([401, 'unauthenticated']);
  expect(after.headers.get('www-authenticate')).toBe('Bearer');
  expect((await post('/auth/refresh', { refreshToken })).body.code).toBe('unauthenticated');
  expect((await app.request('GET', '/auth/me', { token: other.body.accessToken })).status).toBe(200);
});

test('the name can be changed and is seen at once', async () => {
  const { accessToken: token } = await app.registerUser();
  const changed = await app.request('PATCH', '/auth/me', { token, body: { name: 'Ada Lovelace' } });
  expect([changed.status, changed.body.name]).toEqual([200, 'Ada Lovelace']);
  expect((await app.request('GET', '/auth/me', { token })).body.name).toBe('Ada Lovelace');
});

test('a new password needs the old one, and ends the other sessions', async () => {
  const { accessToken: token, refreshToken, email } = await app.registerUser();
  const other = (await post('/auth/login', { email, password })).body;
  expect((await app.request('GET', '/auth/me', { token: other.accessToken })).status).toBe(200);
  const next = 'another horse battery';

  const without = await app.request('PATCH', '/auth/me', { token, body: { password: next } });
  expect([without.status, without.body.code]).toEqual([400, 'invalid_request']);
  const wrong = await app.request('PATCH', '/auth/me', { token, body: { password: next, currentPassword: 'no' } });
  expect([wrong.status, wrong.body.code]).toEqual([401, 'invalid_credentials']);
  expect((await app.request('GET', '/auth/me', { token: other.accessToken })).status).toBe(200);

  const right = await app.request('PATCH', '/auth/me', { token, body: { password: next, currentPassword: password } });
  expect(right.status).toBe(200);
  expect((await app.request('GET', '/auth/me', { token })).status).toBe(200);
  expect((await app.request('GET', '/auth/me', { token: other.accessToken })).status).toBe(401);
  expect((await post('/auth/refresh', { refreshToken: other.refreshToken })).status).toBe(401);
  expect((await post('/auth/refresh', { refreshToken })).status).toBe(200);
  expect((await post('/auth/login', { email, password })).status).toBe(401);
  expect((await post('/auth/login', { email, password: next })).status).toBe(200);
});

test('a login that races with a change of the password leaves no session of the old one', async () => {
  const { accessToken: token, email, user } = await app.registerUser();
  const next = 'another horse battery';
  const [changed, ...logins] = await Promise.all([
    app.request('PATCH', '/auth/me', { token, body: { password: next, currentPassword: password } }),
    ...Array.from({ length: 6 }, () => post('/auth/login', { email, password })),
  ]);
  expect(changed.status).toBe(200);
  for (const { status } of logins) expect([200, 401]).toContain(status);
  const { rows } = await app.ctx.database.query('SELECT 1 FROM sessions WHERE user_id = $1 AND revoked_at IS NULL', [
    user.id,
  ]);
  expect(rows).toHaveLength(1);
});

test('no password, token or key is kept as it is', async () => {
  const { accessToken, refreshToken } = await app.registerUser();
  const { body } = await post('/auth/api-keys', { name: 'kept' }, accessToken);
  const tables = ['users', 'sessions', 'refresh_tokens', 'api_keys'];
  const dumps = await Promise.all(
    tables.map((table) => app.ctx.database.query<{ row: string }>(`SELECT t::text AS row FROM ${table} AS t`)),
  );
  const everything = dumps.flatMap(({ rows }) => rows.map(({ row }) => row)).join('\n');
  const secrets = [password, accessToken, refreshToken, body.key as string, (body.key as string).slice(36)];
  for (const secret of secrets) {
    expect(everything).not.toContain(secret);
    expect(everything).not.toContain(Buffer.from(secret).toString('hex'));
  }
});
