import { expect, test } from 'vitest';
import { readable } from './readable-log.js';

const time = '2026-11-22T10:11:12.345Z';
const line = (entry: object): string => JSON.stringify({ level: 30, time, role: 'web', pid: 1, ...entry });

test('a request is told with its path and what became of it', () => {
  const entry = {
    reqId: 'r1',
    req: { id: 'r1', method: 'POST', path: '/api/v1/conversations' },
    res: { status: 201 },
    responseTime: 12.6,
    msg: 'request completed',
  };
  expect(readable(line(entry))).toBe('10:11:12       web    request completed POST /api/v1/conversations 201 13 ms');
});

test('an error comes with its stack, and what is no line of the log stays as it is', () => {
  const told = readable(
    line({ level: 50, role: 'worker', msg: 'a job has failed', err: { stack: 'Error: no\n    at f' } }),
  );
  expect(told).toBe('10:11:12 error worker a job has failed\n    Error: no\n    at f');
  for (const other of ['plain words', '{"level":', '{"level":"x"}']) expect(readable(other)).toBe(other);
});
