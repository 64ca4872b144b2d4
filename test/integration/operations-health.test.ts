import { expect, test } from 'vitest';
import { loadConfig } from '../../shared/config.js';
import { createContext } from '../../shared/context.js';
import { createLogger } from '../../shared/logger.js';
import { startOperationsServer } from '../../workers/operations.js';
import { startTestApp, testEnvironment } from '../support/app.js';
import { ownPostgres, ownRedis, testDatabase, testRedis } from '../support/stack.js';

type Health = {
  status: number;
  body: { status: string; checks: Record<string, { status: string; milliseconds: number }> };
};

async function get(url: string): Promise<Health> {
  const response = await fetch(url);
  return { status: response.status, body: (await response.json()) as Health['body'] };
}

async function until(url: string, wanted: (health: Health) => boolean): Promise<Health> {
  await expect.poll(async () => wanted(await get(url)), { timeout: 20_000, interval: 100 }).toBe(true);
  return get(url);
}

async function startWorker(stores: { databaseUrl: string; redisUrl: string }, lastProgressAt: () => number) {
  const config = loadConfig({ ...testEnvironment(stores), HOST: '127.0.0.1', METRICS_PORT: '0' });
  const ctx = await createContext(config, createLogger({ level: 'silent', role: 'test' }), 'worker');
  const { port } = await startOperationsServer(ctx, lastProgressAt);
  return { url: `http://127.0.0.1:${port}`, close: () => ctx.lifecycle.close() };
}

test('web and worker are ready, with the times of their stores', async () => {
  const web = await startTestApp();
  const worker = await startWorker(
    { databaseUrl: web.ctx.config.database.url, redisUrl: web.ctx.config.redis.url },
    () => performance.now(),
  );
  for (const { url } of [web, worker]) {
    const { status, body } = await until(`${url}/readyz`, ({ body: { status: now } }) => now === 'ready');
    expect(status).toBe(200);
    expect(body.checks).toMatchObject({ postgres: { status: 'up' }, redis: { status: 'up' } });
    expect(body.checks.postgres?.milliseconds).toBeGreaterThan(0);
    expect((await get(`${url}/healthz`)).status).toBe(200);
  }
  await worker.close();
  await web.close();
});

test('without Postgres neither is ready, both are alive, metrics go on, and they recover by themselves', async () => {
  const postgres = await ownPostgres();
  const redisUrl = (await testRedis()).url;
  const web = await startTestApp({ databaseUrl: postgres.url, redisUrl });
  const worker = await startWorker({ databaseUrl: postgres.url, redisUrl }, () => performance.now());
  await postgres.stop();
  for (const { url } of [web, worker]) {
    const away = await until(`${url}/readyz`, ({ status }) => status === 503);
    expect(away.body.status).toBe('unavailable');
    expect(away.body.checks).toMatchObject({ postgres: { status: 'down' }, redis: { status: 'up' } });
    expect(JSON.stringify(away.body)).not.toMatch(/127\.0\.0\.1|password|millrace/);
    expect((await get(`${url}/healthz`)).status).toBe(200);
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).toMatch(/^millrace_backlog_known\{.*\} 0$/m);
  }
  await postgres.restart();
  for (const { url } of [web, worker]) await until(`${url}/readyz`, ({ status }) => status === 200);
  await worker.close();
  await web.close();
  await postgres.remove();
});

test('without Redis the web process stays in service, and the worker does not', async () => {
  const redis = await ownRedis();
  const database = await testDatabase();
  const web = await startTestApp({ databaseUrl: database.url, redisUrl: redis.url });
  const worker = await startWorker({ databaseUrl: database.url, redisUrl: redis.url }, () => performance.now());
  await redis.stop();
  const degraded = await until(`${web.url}/readyz`, ({ body }) => body.status !== 'ready');
  expect(degraded.status).toBe(200);
  expect(degraded.body).toMatchObject({ status: 'degraded', checks: { redis: { status: 'down' } } });
  expect((await until(`${worker.url}/readyz`, ({ status }) => status === 503)).body.status).toBe('unavailable');
  await redis.start();
  for (const { url } of [web, worker]) await until(`${url}/readyz`, ({ body }) => body.status === 'ready');
  await worker.close();
  await web.close();
  await redis.remove();
  await database.drop();
});

test('stores that accept connections and never answer count as away, in bounded time', async () => {
  const redis = await ownRedis();
  const database = await testDatabase();
  const web = await startTestApp({ databaseUrl: database.url, redisUrl: redis.url });
  await until(`${web.url}/readyz`, ({ body }) => body.status === 'ready');
  await web.ctx.redis.client('PAUSE', 8_000);
  const paused = await until(`${web.url}/readyz`, ({ body }) => body.status !== 'ready');
  expect(paused.body.checks.redis).toMatchObject({ status: 'down', reason: 'no answer' });
  await until(`${web.url}/readyz`, ({ body }) => body.status === 'ready');
  await web.close();
  await redis.remove();
  await database.drop();
});

test('a worker whose loops stand still is neither ready nor alive', async () => {
  const database = await testDatabase();
  let lastProgressAt = performance.now();
  const worker = await startWorker(
    { databaseUrl: database.url, redisUrl: (await testRedis()).url },
    () => lastProgressAt,
  );
  expect((await get(`${worker.url}/healthz`)).status).toBe(200);
  lastProgressAt = performance.now() - 3_600_000;
  for (const path of ['/healthz', '/readyz']) {
    const stuck = await until(`${worker.url}${path}`, ({ status }) => status === 503);
    expect(stuck.body.checks.progress).toMatchObject({
      status: 'down',
      reason: expect.stringMatching(/^no progress for 3[56]\d\d s$/),
    });
  }
  await worker.close();
  await database.drop();
});
