import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Sql } from '../database.js';
import { createAccessTokens } from './access-tokens.js';
import { createPrincipalCache, type PrincipalCache } from './principal-cache.js';

const config = { jwtSecret: 'a secret that is longer than 32 characters', accessTokenSeconds: 900 };
const accessTokens = createAccessTokens(config);
const userId = '01890000-0000-7000-8000-000000000001';
const sessionId = '01890000-0000-7000-8000-000000000002';

type Row = { user_id: string; name: string; email: string; role: string; disabled: boolean; revoked: boolean };

/** Stands for Postgres: answers with `row` as it is when the query is let through. */
let row: Row;
let queries: number;
let held: (() => void)[] | null;
let cache: PrincipalCache;
let token: string;

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

beforeEach(async () => {
  row = { user_id: userId, name: 'Ada', email: 'ada@example.com', role: 'regular', disabled: false, revoked: false };
  queries = 0;
  held = null;
  const database = {
    async query() {
      queries += 1;
      const seen = { ...row };
      if (held) await new Promise<void>((resolve) => held?.push(resolve));
      return { rows: [seen], rowCount: 1 };
    },
  } as unknown as Sql;
  cache = createPrincipalCache({ database, config, logger: pino({ level: 'silent' }) });
  token = await accessTokens.sign(userId, sessionId);
});

function timePasses(): (ms: number) => void {
  let now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  return (ms) => void (now += ms);
}

test('a principal says who, by what, and until when', async () => {
  const principal = await cache.resolve(token);
  expect(principal).toEqual({
    userId,
    name: 'Ada',
    email: 'ada@example.com',
    role: 'regular',
    credential: { type: 'session', id: sessionId },
    expiresAt: expect.any(Number),
  });
  expect(Math.abs((principal.expiresAt ?? 0) - Date.now() - 900_000)).toBeLessThan(2_000);
});

test('requests at once and within half a second share one query', async () => {
  await Promise.all(Array.from({ length: 100 }, () => cache.resolve(token)));
  for (let count = 0; count < 100; count += 1) await cache.resolve(token);
  expect(queries).toBe(1);
});

test('one in steady use is renewed beside the request and never waits', async () => {
  const pass = timePasses();
  await cache.resolve(token);
  pass(600);
  held = [];
  await cache.resolve(token);
  await cache.resolve(token);
  expect(queries).toBe(2);
});

test('after a second the answer is asked for again', async () => {
  const pass = timePasses();
  await cache.resolve(token);
  row.revoked = true;
  pass(1_001);
  await expect(cache.resolve(token)).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('what a renewal finds revoked is not served any longer', async () => {
  const pass = timePasses();
  await cache.resolve(token);
  row.disabled = true;
  pass(600);
  await cache.resolve(token);
  await vi.waitFor(() => expect(cache.resolve(token)).rejects.toMatchObject({ code: 'account_disabled' }));
});

test('forgotten means asked again, and an older look does not bring it back', async () => {
  held = [];
  const early = cache.resolve(token);
  await vi.waitFor(() => expect(queries).toBe(1));
  row.revoked = true;
  cache.forget(userId);
  const late = cache.resolve(token);
  await vi.waitFor(() => expect(queries).toBe(2));
  for (const letThrough of held) letThrough();
  held = null;
  await expect(early).resolves.toMatchObject({ userId });
  await expect(late).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(cache.resolve(token)).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('a look that hangs is not joined after a second', async () => {
  const pass = timePasses();
  held = [];
  const hanging = cache.resolve(token);
  await vi.waitFor(() => expect(queries).toBe(1));
  row.revoked = true;
  pass(1_001);
  const next = cache.resolve(token);
  await vi.waitFor(() => expect(queries).toBe(2));
  for (const letThrough of held) letThrough();
  await hanging;
  await expect(next).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('another account is not forgotten with it', async () => {
  await cache.resolve(token);
  cache.forget('01890000-0000-7000-8000-000000000009');
  await cache.resolve(token);
  expect(queries).toBe(1);
});

test('a remembered token ends when it expires', async () => {
  await cache.resolve(token);
  vi.setSystemTime(Date.now() + 900_000);
  await expect(cache.resolve(token)).rejects.toMatchObject({ code: 'token_expired' });
  await expect(cache.resolve(token)).rejects.toMatchObject({ code: 'token_expired' });
  expect(queries).toBe(1);
});
