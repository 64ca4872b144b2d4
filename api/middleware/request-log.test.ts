import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AppError } from '../../shared/errors.js';
import { createLogger } from '../../shared/logger.js';
import { eventually } from '../../test/support/eventually.js';
import { problems } from './problem.js';
import { requestLog } from './request-log.js';

type Line = {
  level: number;
  msg: string;
  reqId: string;
  err?: { message: string };
  req?: { path: string };
  res?: { status: number };
};

let lines: Line[];
let server: Server;
beforeEach(async () => {
  lines = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Line);
  const app = express();
  app.use(requestLog(createLogger({ level: 'info', role: 'test' }, { write })));
  app.get('/broken', () => {
    throw new Error('a mistake of ours');
  });
  app.get('/away', () => {
    throw new AppError('unavailable', 'A store is away.');
  });
  app.get('/not-ready', (_req, res) => void res.status(503).end());
  app.get('/refused', () => {
    throw new AppError('not_found', 'There is none.');
  });
  app.get('/halfway', (_req, res) => {
    res.write('half');
    throw new Error('a mistake in the middle');
  });
  app.use(problems);
  await new Promise<void>((resolve) => (server = app.listen(0, '127.0.0.1', () => resolve())));
});
afterEach(() => void server.close());

async function get(path: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  await response.text().catch(() => {});
  return response.status;
}

it.each([
  ['/broken', 500, 50, 'a mistake of ours'],
  ['/away', 503, 40, 'A store is away.'],
])('one line tells that %s failed, and why', async (path, status, level, message) => {
  expect(await get(`${path}?q=secret`)).toBe(status);
  await eventually(() => expect(lines).not.toEqual([]));
  expect(await get('/refused')).toBe(404);
  expect(lines).toMatchObject([{ level, msg: 'request failed', err: { message }, req: { path } }]);
});

it('an answer of 503 that nothing was thrown for is a warning, without a stack', async () => {
  expect(await get('/not-ready')).toBe(503);
  await eventually(() =>
    expect(lines).toMatchObject([{ level: 40, res: { status: 503 }, req: { path: '/not-ready' } }]),
  );
  expect(lines[0]).not.toHaveProperty('err');
});

it('a mistake in the middle of an answer is told, too', async () => {
  await get('/halfway');
  await eventually(() => expect(lines).toMatchObject([{ level: 50, err: { message: 'a mistake in the middle' } }]));
});
