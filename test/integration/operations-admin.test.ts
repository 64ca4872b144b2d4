import { afterAll, expect, test } from 'vitest';
import { localTarget } from '../../api/operations/admin/own-page.js';
import { startTestApp, type TestUser } from '../support/app.js';

const app = await startTestApp();
afterAll(app.close);

const admin = await app.registerUser({ role: 'admin', name: 'Grace' });
const regular = await app.registerUser({ name: 'Rudi <b>' });

type Options = { cookie?: string; method?: string; headers?: Record<string, string>; form?: Record<string, string> };

const visit = (path: string, { cookie, method = 'GET', headers = {}, form }: Options = {}): Promise<Response> =>
  fetch(`${app.url}${path}`, {
    method: form ? 'POST' : method,
    redirect: 'manual',
    headers: { ...(cookie ? { cookie } : {}), ...headers },
    body: form ? new URLSearchParams(form) : undefined,
  });

const signIn = (user: Pick<TestUser, 'email' | 'password'>, redirect = '', headers: Record<string, string> = {}) =>
  visit('/admin/login', { form: { email: user.email, password: user.password, redirect }, headers });

async function adminCookie(): Promise<string> {
  const response = await signIn(admin);
  expect(response.status).toBe(303);
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

test('without a cookie, or with a wrong one, a page leads to the sign-in and data is refused', async () => {
  for (const cookie of [undefined, 'millrace_admin=forged.token.x', 'millrace_admin=']) {
    const page = await visit('/admin/queues/queue/replies?status=active', { cookie });
    expect(page.status).toBe(303);
    expect(page.headers.get('location')).toBe(
      `/admin/login?redirect=${encodeURIComponent('/admin/queues/queue/replies?status=active')}`,
    );
    expect((await visit('/admin/queues/api/queues', { cookie })).status).toBe(401);
    expect((await visit('/admin/queues/static/favicon.ico', { cookie })).status).toBe(303);
  }
  expect((await visit('/admin')).headers.get('location')).toBe('/admin/queues');
});

test('an admin signs in with the form, and lands on the page that was asked for', async () => {
  const form = await visit('/admin/login?redirect=/admin/queues/queue/replies');
  const html = await form.text();
  expect(form.status).toBe(200);
  expect(html).toContain('name="redirect" value="/admin/queues/queue/replies"');
  expect(html).not.toMatch(/<script|\son\w+=/);
  expect(form.headers.get('content-security-policy')).toContain("form-action 'self'");
  expect(form.headers.get('cache-control')).toBe('no-store');
  const response = await signIn(admin, '/admin/queues/queue/replies');
  expect(response.status).toBe(303);
  expect(response.headers.get('location')).toBe('/admin/queues/queue/replies');
  const cookie = response.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/; Path=\/admin;.*; HttpOnly; SameSite=Strict$/);
  expect(cookie).toMatch(/Max-Age=900;/);
  expect(cookie).not.toMatch(/Secure/);
});

test('behind a proxy that speaks https the cookie is for https only', async () => {
  const proxied = await startTestApp({
    env: { TRUST_PROXY: '1' },
    databaseUrl: app.ctx.config.database.url,
    redisUrl: app.ctx.config.redis.url,
  });
  const response = await fetch(`${proxied.url}/admin/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'x-forwarded-proto': 'https' },
    body: new URLSearchParams({ email: admin.email, password: admin.password }),
  });
  expect(response.headers.get('set-cookie')).toMatch(/; Secure;/);
  await proxied.close();
});

test('a redirect goes to pages of the board only', () => {
  expect(localTarget('/admin/queues/queue/x?page=2')).toBe('/admin/queues/queue/x?page=2');
  const foreign = [
    ...['https://evil.example/admin/queues', '//evil.example/admin/queues', '/\\evil.example/admin/queues'],
    ...['/\t/evil.example', '/admin/queues/..//evil.example', '/.//evil.example', 'javascript:alert(1)'],
    ...['/admin/queuesx', '/admin/logout', '', undefined, ['/admin/queues/x'], 'http://['],
  ];
  for (const target of foreign) expect(localTarget(target), String(target)).toBe('/admin/queues');
});

test('a wrong password, and what is no form, is told on the form', async () => {
  const wrong = await signIn({ email: admin.email, password: 'not the password' });
  expect(wrong.status).toBe(401);
  expect(await wrong.text()).toContain(`value="${admin.email}"`);
  expect(wrong.headers.get('set-cookie')).toBeNull();
  expect((await visit('/admin/login', { form: { email: 'x' } })).status).toBe(400);
  expect((await visit('/admin/login', { form: { email: admin.email, password: 'x', extra: '1' } })).status).toBe(400);
  expect((await visit('/admin/login', { method: 'POST' })).status).toBe(400);
});

test('guessing is stopped', async () => {
  const strict = await startTestApp({
    env: { LOGIN_ATTEMPTS_PER_QUARTER_HOUR: '2' },
    databaseUrl: app.ctx.config.database.url,
  });
  const statuses: number[] = [];
  for (let guess = 0; guess < 3; guess += 1) {
    const body = new URLSearchParams({ email: admin.email, password: `guess ${guess}` });
    const response = await fetch(`${strict.url}/admin/login`, { method: 'POST', body });
    statuses.push(response.status);
    if (response.status === 429) expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  expect(statuses).toEqual([401, 401, 429]);
  await strict.close();
});

test('a form that another site sends is refused', async () => {
  const foreign: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ];
  for (const headers of foreign) {
    const response = await signIn(admin, '', headers);
    expect(response.status, JSON.stringify(headers)).toBe(403);
    expect(response.headers.get('set-cookie')).toBeNull();
  }
  expect((await signIn(admin, '', { origin: app.url })).status).toBe(303);
  expect((await signIn(admin, '', { 'sec-fetch-site': 'same-origin' })).status).toBe(303);
});

test('who is no admin gets a page that says so, and no session', async () => {
  const response = await signIn(regular);
  expect(response.status).toBe(403);
  const html = await response.text();
  expect(html).toContain('Rudi &lt;b&gt;');
  expect(response.headers.get('set-cookie')).toBeNull();
  const { rows } = await app.ctx.database.query<{ open: number }>(
    'SELECT count(*)::int AS open FROM sessions WHERE user_id = $1 AND revoked_at IS NULL',
    [regular.user.id],
  );
  expect(rows[0]?.open).toBe(1);
  for (const path of ['/admin/queues', '/admin/queues/api/queues', '/admin/queues/static/favicon.ico']) {
    expect((await visit(path, { cookie: `millrace_admin=${regular.accessToken}` })).status, path).toBe(403);
    expect((await visit(path, { headers: { authorization: `Bearer ${regular.accessToken}` } })).status, path).toBe(403);
  }
});

test('an admin sees the board; all it loads comes from this server, without inline scripts', async () => {
  const cookie = await adminCookie();
  for (const path of ['/admin/queues', '/admin/queues/queue/replies']) {
    const page = await visit(path, { cookie });
    const html = await page.text();
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/script-src 'self'(;|$)/);
    expect(policy).toMatch(/default-src 'none'/);
    expect(page.headers.get('x-powered-by')).toBeNull();
    expect(html).not.toMatch(/(src|href)="https?:/);
    expect(html).toContain('<base href="/admin/queues/"');
    // The one without a source is data for the others, which browsers do not run.
    for (const [tag] of html.matchAll(/<script[^>]*>/g)) expect(tag).toMatch(/ src=|type="application\/json"/);
    const assets = [...html.matchAll(/<(?:script|link)[^>]+(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? '');
    expect(assets.length).toBeGreaterThan(4);
    for (const url of assets) {
      const asset = await visit(new URL(url, `${app.url}/admin/queues/`).pathname, { cookie });
      expect(asset.status, url).toBe(200);
    }
  }
  const { queues } = (await (await visit('/admin/queues/api/queues', { cookie })).json()) as {
    queues: { name: string; readOnlyMode: boolean }[];
  };
  expect(queues.map(({ name }) => name)).toEqual([...app.ctx.runQueues.queues.keys()]);
  expect(queues.every(({ readOnlyMode }) => readOnlyMode)).toBe(true);
  const byBearer = await visit('/admin/queues/api/queues', {
    headers: { authorization: `Bearer ${admin.accessToken}` },
  });
  expect(byBearer.status).toBe(200);
});

test('payloads, results, errors and logs are not shown', async () => {
  const cookie = await adminCookie();
  const queue = app.ctx.runQueues.queues.get('replies');
  if (!queue) throw new Error('no queue');
  const secret = 'the secret of somebody';
  const id = '0193b0f0-0000-7000-8000-000000000001';
  const job = await queue.add('reply-to-message', { id, delivery: 3, text: secret }, { jobId: `${id}-3` });
  await job.updateProgress({ text: secret });
  await job.log(secret);
  const client = app.ctx.redis;
  await client.hset(
    queue.toKey(`${id}-3`),
    'failedReason',
    secret,
    'stacktrace',
    JSON.stringify([secret]),
    'returnvalue',
    JSON.stringify(secret),
  );
  const bodies = await Promise.all(
    [
      ...['/api/queues?activeQueue=replies&status=latest&page=1&jobsPerPage=10', `/api/queues/replies/${id}-3`],
      ...[`/api/queues/replies/${id}-3/logs`, `/api/queues/replies/${id}-3/flow`, '/api/job-schedulers'],
    ].map(async (path) => {
      const response = await visit(`/admin/queues${path}`, { cookie });
      expect(response.status, path).toBe(200);
      return response.text();
    }),
  );
  expect(bodies[0]).toContain(`${id}-3`);
  expect(JSON.parse(bodies[1] ?? '')).toMatchObject({
    job: { data: { id, delivery: 3, text: '[redacted]' }, failedReason: '[redacted]', progress: '[redacted]' },
  });
  expect(JSON.parse(bodies[2] ?? '')).toEqual(['[redacted]']);
  expect(bodies.join(' ')).not.toContain(secret);
});

test('nothing can be changed through the board', async () => {
  const cookie = await adminCookie();
  for (const [method, path] of [
    ['PUT', '/api/queues/pause'],
    ['PUT', '/api/queues/replies/pause'],
    ['PUT', '/api/queues/replies/empty'],
    ['PUT', '/api/queues/replies/obliterate'],
    ['POST', '/api/queues/replies/add'],
  ]) {
    expect((await visit(`/admin/queues${path}`, { cookie, method })).status, path).toBe(405);
  }
  expect(await app.ctx.runQueues.queues.get('replies')?.isPaused()).toBe(false);
});

test('signing out ends the session; a disabled or demoted admin is out', async () => {
  const cookie = await adminCookie();
  expect((await visit('/admin/logout', { cookie })).status).toBe(200);
  expect((await visit('/admin/queues', { cookie })).status).toBe(200);
  expect(
    (await visit('/admin/logout', { cookie, method: 'POST', headers: { origin: 'https://evil.example' } })).status,
  ).toBe(403);
  const out = await visit('/admin/logout', { cookie, method: 'POST' });
  expect(out.headers.get('location')).toBe('/admin/login');
  expect(out.headers.get('set-cookie')).toMatch(/^millrace_admin=;.*Expires=Thu, 01 Jan 1970/);
  const status = async (held: string): Promise<number> => (await visit('/admin/queues', { cookie: held })).status;
  await expect.poll(() => status(cookie), { timeout: 5_000 }).toBe(303);
  expect((await visit('/admin/logout', { method: 'POST' })).status).toBe(303);

  const fresh = await adminCookie();
  await app.ctx.database.query(`UPDATE users SET role = 'regular' WHERE id = $1`, [admin.user.id]);
  await expect.poll(() => status(fresh), { timeout: 5_000 }).toBe(403);
  await app.ctx.database.query(`UPDATE users SET role = 'admin', disabled_at = now() WHERE id = $1`, [admin.user.id]);
  await expect.poll(() => status(fresh), { timeout: 5_000 }).toBe(303);
});
