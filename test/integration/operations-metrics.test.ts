import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../shared/config.js';
import { createContext } from '../../shared/context.js';
import { createLogger } from '../../shared/logger.js';
import { createMetrics } from '../../shared/metrics.js';
import { startOperationsServer } from '../../workers/operations.js';
import { startTestApp, testEnvironment } from '../support/app.js';
import { testDatabase, testRedis } from '../support/stack.js';

const app = await startTestApp();
afterAll(app.close);

type Sample = { name: string; labels: Record<string, string>; value: number };

/** Reads the text format line by line; throws at the first that is none. */
function parseExposition(text: string): Sample[] {
  const typed = new Set<string>();
  return text.split('\n').flatMap((line): Sample[] => {
    if (line === '') return [];
    const comment = /^# (HELP|TYPE) (\w+) (.+)$/.exec(line);
    if (comment) {
      if (comment[1] === 'TYPE') {
        expect(typed.has(comment[2] ?? ''), `${comment[2]} has one type`).toBe(false);
        typed.add(comment[2] ?? '');
      }
      return [];
    }
    const sample = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/i.exec(line);
    if (!sample) throw new Error(`not a sample: ${line}`);
    const labels = [...(sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [key, value]);
    const value = sample[3] === '+Inf' ? Infinity : Number(sample[3]);
    expect(Number.isNaN(value) && sample[3] !== 'Nan', line).toBe(false);
    return [{ name: sample[1] ?? '', labels: Object.fromEntries(labels) as Record<string, string>, value }];
  });
}

const scrape = async (url: string): Promise<Sample[]> => parseExposition(await (await fetch(`${url}/metrics`)).text());

function valueOf(samples: Sample[], name: string, labels: Record<string, string> = {}): number | undefined {
  return samples.find(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  )?.value;
}

const listen = async (port: number): Promise<ReturnType<typeof createServer>> => {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

async function workerContext(env: Record<string, string> = {}) {
  const database = await testDatabase();
  const environment = testEnvironment({ databaseUrl: database.url, redisUrl: (await testRedis()).url });
  const config = loadConfig({ ...environment, HOST: '127.0.0.1', METRICS_PORT: '0', ...env });
  const ctx = await createContext(config, createLogger({ level: 'silent', role: 'test' }), 'worker');
  ctx.lifecycle.onClose('database', database.drop);
  return ctx;
}

test('requests are counted by template, never by path', async () => {
  const { accessToken } = await app.registerUser();
  for (const id of [randomUUID(), randomUUID()]) await app.request('GET', `/jobs/${id}`, { token: accessToken });
  await app.request('GET', `/jobs/${randomUUID()}`);
  await app.request('GET', `/nowhere/${randomUUID()}`);
  await app.request('POST', '/auth/register', {
    body: { email: 'ada@example.com', name: 'Ada', password: 'long enough' },
  });
  await fetch(`${app.url}/API/V1/jobs/${randomUUID()}`);
  await fetch(`${app.url}/${randomUUID()}`);
  const samples = await scrape(app.url);
  const name = 'millrace_http_request_duration_seconds_count';
  expect(valueOf(samples, name, { route: '/api/v1/jobs/:id', method: 'GET', status: '4xx' })).toBe(4);
  expect(valueOf(samples, name, { route: 'unmatched', status: '4xx' })).toBe(2);
  expect(valueOf(samples, name, { route: '/api/v1/auth/register', status: '2xx' })).toBe(1);
  for (const { labels } of samples.filter((sample) => sample.name === name))
    expect(labels.route).not.toMatch(/[0-9a-f]{8}-/);
});

test('the backlog is counted in Postgres by queue and state, with its oldest age', async () => {
  const other = await startTestApp();
  const insert = `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, state, created_at)
    SELECT gen_random_uuid(), 'reply-to-message', 'replies', '{}', $1, $1, $2, now() - interval '90 seconds' FROM generate_series(1, $3)`;
  for (const [state, count] of [
    ['pending', 3],
    ['running', 2],
    ['done', 4],
  ]) {
    await other.ctx.database.query(insert, [randomUUID(), state, count]);
  }
  const samples = await scrape(other.url);
  const size = (state: string) => valueOf(samples, 'millrace_backlog_jobs', { queue: 'replies', state });
  expect([size('pending'), size('running'), size('queued'), size('done')]).toEqual([3, 2, 0, undefined]);
  const age = valueOf(samples, 'millrace_backlog_oldest_age_seconds', { queue: 'replies', state: 'pending' });
  expect(age).toBeGreaterThanOrEqual(90);
  expect(age).toBeLessThan(150);
  expect(valueOf(samples, 'millrace_backlog_known')).toBe(1);
  await other.close();
});

test('what is recorded is exposed, for each process apart', async () => {
  const metrics = createMetrics('worker');
  const untouched = createMetrics('worker');
  metrics.jobWaited('reply-to-message', 0.2);
  metrics.jobRan('reply-to-message', 'done', 3);
  metrics.takeover('reply-to-message');
  metrics.handover('reply-to-message');
  metrics.firstDelta(-0.001);
  metrics.streamAppended();
  metrics.tokens('claude', { input: 10, output: 20, cacheRead: 30, cacheWrite: 40 });
  for (let index = 0; index < 200; index += 1) {
    metrics.tokens(`made-up-${index}`, { input: 1, output: 0, cacheRead: 0, cacheWrite: 0 });
  }
  metrics.watchSockets(() => ({ sockets: 7, rooms: 5 }));
  const samples = parseExposition((await metrics.expose()).body);
  const kind = 'reply-to-message';
  expect(valueOf(samples, 'millrace_job_wait_seconds_sum', { kind })).toBeCloseTo(0.2);
  expect(valueOf(samples, 'millrace_job_run_seconds_count', { kind })).toBe(1);
  expect(valueOf(samples, 'millrace_jobs_finished_total', { kind, outcome: 'done', role: 'worker' })).toBe(1);
  expect(valueOf(samples, 'millrace_takeovers_total', { kind })).toBe(1);
  expect(valueOf(samples, 'millrace_handovers_total', { kind })).toBe(1);
  expect(valueOf(samples, 'millrace_first_delta_seconds_count')).toBe(1);
  expect(valueOf(samples, 'millrace_stream_appends_total')).toBe(1);
  expect(valueOf(samples, 'millrace_tokens_total', { model: 'claude', type: 'cache_write' })).toBe(40);
  expect(valueOf(samples, 'millrace_tokens_total', { model: 'other', type: 'input' })).toBe(151);
  expect(valueOf(samples, 'millrace_sockets_connected')).toBe(7);
  expect(valueOf(samples, 'millrace_rooms_open')).toBe(5);
  expect(valueOf(samples, 'millrace_event_loop_delay_seconds', { quantile: '0.99' })).toBeGreaterThanOrEqual(0);
  expect(valueOf(samples, 'process_resident_memory_bytes')).toBeGreaterThan(1e6);
  // Nobody answers for the backlog: that is said, and no number is made up.
  expect(valueOf(samples, 'millrace_backlog_known')).toBe(0);
  expect(samples.some(({ name }) => name === 'millrace_backlog_jobs')).toBe(false);
  expect((await untouched.expose()).body).not.toContain('outcome="done"');
  metrics.close();
  untouched.close();
});

test('docs/operations.md tells to watch what there is', async () => {
  const metrics = createMetrics('worker');
  const { body } = await metrics.expose();
  metrics.close();
  const exposed = [...body.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
  const named = readFileSync('docs/operations.md', 'utf8').match(/millrace_\w+/g) ?? [];
  expect(named.length).toBeGreaterThan(5);
  expect(exposed).toEqual(expect.arrayContaining(named));
});

test('METRICS_TOKEN keeps the metrics of web and worker for its bearer', async () => {
  const token = 'sixteen characters or more';
  const guarded = await startTestApp({ env: { METRICS_TOKEN: token } });
  const ctx = await workerContext({ METRICS_TOKEN: token });
  const { port } = await startOperationsServer(ctx, () => performance.now());
  for (const url of [`${guarded.url}/metrics`, `http://127.0.0.1:${port}/metrics`]) {
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(parseExposition(await answer.text()).length).toBeGreaterThan(50);
  }
  await ctx.lifecycle.close();
  await guarded.close();
});

test('a worker whose port is taken serves on another one', async () => {
  const taken = await listen(0);
  const { port: wanted } = taken.address() as { port: number };
  const ctx = await workerContext({ METRICS_PORT: String(wanted) });
  const { port } = await startOperationsServer(ctx, () => performance.now());
  expect(port).not.toBe(wanted);
  expect(valueOf(await scrape(`http://127.0.0.1:${port}`), 'millrace_backlog_known', { role: 'worker' })).toBe(1);
  expect((await fetch(`http://127.0.0.1:${port}/elsewhere`)).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${port}/healthz`, { method: 'POST' })).status).toBe(404);
  taken.close();
  await ctx.lifecycle.close();
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
});
