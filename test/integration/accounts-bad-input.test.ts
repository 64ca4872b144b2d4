import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestUser } from '../support/app.js';

const app = await startTestApp();
afterAll(app.close);

let user: TestUser;
beforeAll(async () => {
  user = await app.registerUser();
});

const good = { email: 'good@example.com', name: 'Good', password: 'correct horse battery' };
const deep = '['.repeat(5_000) + ']'.repeat(5_000);

async function tables(): Promise<unknown> {
  const { rows } = await app.ctx.database.query(
    `SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM sessions) AS sessions,
            (SELECT count(*) FROM api_keys) AS keys, (SELECT max(updated_at) FROM users) AS changed`,
  );
  return rows;
}

/** How a request was refused, as `400 invalid_request`; fails when it changed anything or is no problem document. */
async function refusal(method: string, path: string, body: unknown): Promise<string> {
  const before = await tables();
  const answer = await app.request(method, path, { body, token: user.accessToken });
  expect(await tables()).toEqual(before);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
  return `${answer.status} ${answer.body.code}`;
}

const invalid = '400 invalid_request';

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['a list', []],
  ['an unknown field', { ...good, role: 'admin' }],
  [
    '__proto__',
    `{"email":"good@example.com","name":"Good","password":"correct horse battery","__proto__":{"role":"admin"}}`,
  ],
  ['no password', { ...good, password: undefined }],
  ['a short password', { ...good, password: '123456789' }],
  ['a long password', { ...good, password: 'x'.repeat(201) }],
  ['a huge password', { ...good, password: 'x'.repeat(500_000) }],
  ['NUL in the password', { ...good, password: 'correct\u0000horse battery' }],
  ['a password that is a number', { ...good, password: 1_234_567_890 }],
  ['a password that is an object', { ...good, password: { length: 20 } }],
  ['NUL in the name', { ...good, name: 'a\u0000b' }],
  ['a line break in the name', { ...good, name: 'a\nb' }],
  ['a blank name', { ...good, name: '   ' }],
  ['a long name', { ...good, name: 'x'.repeat(101) }],
  ['NUL in the e-mail', { ...good, email: 'good\u0000@example.com' }],
  ['no e-mail', { ...good, email: 'good' }],
  ['a long e-mail', { ...good, email: `${'x'.repeat(250)}@example.com` }],
  ['an e-mail that is an object', { ...good, email: { $ne: null } }],
  ['an e-mail that is a list', { ...good, email: ['good@example.com'] }],
])('registering refuses %s', async (_name, body) => {
  expect(await refusal('POST', '/auth/register', body)).toBe(invalid);
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['an unknown field', { email: good.email, password: good.password, remember: true }],
  ['an object for the e-mail', { email: { contains: '' }, password: good.password }],
  ['NUL in the e-mail', { email: 'a\u0000@example.com', password: good.password }],
  ['NUL in the password', { email: good.email, password: '\u0000' }],
  ['an empty password', { email: good.email, password: '' }],
  ['a huge password', { email: good.email, password: 'x'.repeat(900_000) }],
])('signing in refuses %s', async (_name, body) => {
  expect(await refusal('POST', '/auth/login', body)).toBe(invalid);
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['a number', { refreshToken: 7 }],
  ['a huge token', { refreshToken: 'x'.repeat(100_000) }],
  ['an empty token', { refreshToken: '' }],
  ['an unknown field', { refreshToken: 'x', token: 'y' }],
])('refreshing refuses %s', async (_name, body) => {
  expect(await refusal('POST', '/auth/refresh', body)).toBe(invalid);
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['no field', {}],
  ['a role', { name: 'x', role: 'admin' }],
  ['another e-mail', { email: 'x@example.com' }],
  ['null', { name: null }],
  ['a current password without a new one', { currentPassword: good.password }],
])('changing oneself refuses %s', async (_name, body) => {
  expect(await refusal('PATCH', '/auth/me', body)).toBe(invalid);
});

test.each<[string, unknown]>([
  ['no name', {}],
  ['a blank name', { name: ' ' }],
  ['an unknown field', { name: 'x', userId: 'y' }],
  ['a date that is none', { name: 'x', expiresAt: 'tomorrow' }],
  ['a day that does not exist', { name: 'x', expiresAt: '2030-02-31T00:00:00Z' }],
  ['a number for a date', { name: 'x', expiresAt: 1_900_000_000_000 }],
  ['the past', { name: 'x', expiresAt: '0000-01-01T00:00:00Z' }],
])('making a key refuses %s', async (_name, body) => {
  expect(await refusal('POST', '/auth/api-keys', body)).toBe(invalid);
});

test.each([
  ['broken JSON', '{"email": ', 'malformed_json'],
  ['JSON with a tail', '{} {}', 'malformed_json'],
  ['null', 'null', 'invalid_request'],
  ['a text', '"x"', 'invalid_request'],
  ['a number', '7', 'invalid_request'],
  ['deep nesting', deep, 'invalid_request'],
])('%s is refused', async (_name, body, code) => {
  expect(await refusal('POST', '/auth/login', body)).toBe(`400 ${code}`);
});

test.each([
  ['a byte that begins nothing', [0xff]],
  ['half a character', [0xc3]],
  ['half of a surrogate pair', [0xed, 0xa0, 0x80]],
])('text that is not UTF-8 is refused, not changed: %s', async (_name, bytes) => {
  const body = Buffer.concat([Buffer.from('{"name": "'), Buffer.from(bytes), Buffer.from('"}')]);
  const headers = { authorization: `Bearer ${user.accessToken}`, 'content-type': 'application/json' };
  const answer = await fetch(`${app.url}/api/v1/auth/api-keys`, { method: 'POST', headers, body });
  expect([answer.status, await answer.json()]).toEqual([
    400,
    expect.objectContaining({ code: 'malformed_json', detail: expect.stringContaining('UTF-8') }),
  ]);
});

test('null is no body, also where all fields may be left out', async () => {
  const { status, body } = await app.request('PATCH', '/auth/me', { token: user.accessToken, body: 'null' });
  expect([status, body.code, body.issues]).toEqual([400, 'invalid_request', [expect.objectContaining({ path: '' })]]);
});

test('a body over the limit is refused', async () => {
  expect(await refusal('POST', '/auth/login', { email: 'x'.repeat(2_000_000) })).toBe('413 payload_too_large');
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])(
  'a body that is not JSON is refused: %s',
  async (type) => {
    const headers = { 'content-type': type };
    const answer = await app.request('POST', '/auth/login', { body: 'email=x', headers });
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
  },
);

test.each(['nobody', '1', '%00', 'a'.repeat(3_000), '01890000-0000-7000-8000-000000000001'])(
  'a key that does not exist cannot be revoked: %s',
  async (id) => {
    expect(await refusal('DELETE', `/auth/api-keys/${id}`, undefined)).toBe('404 not_found');
  },
);

test.each<[string, string, number, string]>([
  ['GET', '/users?limit=0', 403, 'forbidden'],
  ['GET', '/users/lookup', 400, 'invalid_request'],
  ['GET', '/users/lookup?email=a&email=b', 400, 'invalid_request'],
  ['GET', '/users/lookup?email=%00@example.com', 400, 'invalid_request'],
  ['GET', '/users/lookup?email=a@example.com&x=1', 400, 'invalid_request'],
  ['GET', '/usage?from=yesterday', 400, 'invalid_request'],
  ['GET', '/usage?from=0000-01-01', 400, 'invalid_request'],
  ['GET', '/usage?from=2026-02-30', 400, 'invalid_request'],
  ['GET', '/usage?from=2026-02-02&to=2026-02-01', 400, 'invalid_request'],
  ['GET', '/usage?userId=me', 400, 'invalid_request'],
  ['GET', '/usage?limit=1e9', 400, 'invalid_request'],
  ['GET', '/usage?limit=1e1', 400, 'invalid_request'],
  ['GET', '/usage?limit=0x10', 400, 'invalid_request'],
  ['GET', '/usage?limit=%205%20', 400, 'invalid_request'],
  ['GET', '/usage?limit=', 400, 'invalid_request'],
  [
    'GET',
    `/usage?cursor=${Buffer.from('{"day":"0000-01-01","userId":"x","model":"y"}').toString('base64url')}`,
    400,
    'invalid_cursor',
  ],
  ['PUT', '/auth/me', 405, 'method_not_allowed'],
  ['GET', '/auth/login', 405, 'method_not_allowed'],
  ['GET', '/auth/%E0%A4%A', 404, 'not_found'],
])('%s %s answers %i', async (method, path, status, code) => {
  const answer = await app.request(method, path, { token: user.accessToken });
  expect([answer.status, answer.body.code]).toEqual([status, code]);
});

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(claims: Record<string, unknown>, header: object = { alg: 'HS256' }): string {
  const content = `${base64(header)}.${base64(claims)}`;
  const signature = createHmac('sha256', app.ctx.config.accounts.jwtSecret).update(content).digest('base64url');
  return `${content}.${signature}`;
}

test('tokens that were not made here, or not for this, are refused with the right code', async () => {
  const [, payload = '', signature = ''] = user.accessToken.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  const unknown = '01890000-0000-7000-8000-000000000001';
  const codes: [string, string | undefined][] = [
    [signed({ ...claims, exp: 1_000_000_000 }), 'token_expired'],
    [signed({ ...claims, sid: unknown }), 'unauthenticated'],
    [signed({ ...claims, sub: unknown }), 'unauthenticated'],
    [signed({ ...claims, iss: 'x' }), 'unauthenticated'],
    [signed({ ...claims, nbf: 9_999_999_999 }), 'unauthenticated'],
    [signed(claims, { alg: 'none' }), 'unauthenticated'],
    [`${base64({ alg: 'none' })}.${payload}.`, 'unauthenticated'],
    [`${base64({ alg: 'HS256' })}.${payload}.${signature}`, 'unauthenticated'],
    ['x', 'unauthenticated'],
    ['x'.repeat(4_097), 'unauthenticated'],
    [signed(claims), undefined],
  ];
  for (const [token, code] of codes) {
    const answer = await app.request('GET', '/auth/me', { token });
    expect([answer.status, answer.body.code]).toEqual([code ? 401 : 200, code]);
  }
});

test.each(['', 'Bearer', 'Bearer ', 'Basic dXNlcjpwYXNz', 'Bearer a b', 'Bearer é', 'bearer'])(
  'an Authorization header that is none is refused: %s',
  async (authorization) => {
    const answer = await app.request('GET', '/auth/me', { headers: { authorization } });
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
  },
);
