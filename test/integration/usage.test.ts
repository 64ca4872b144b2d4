import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { testDatabase } from '../support/stack.js';

let database: Awaited<ReturnType<typeof testDatabase>>;
let app: TestApp;
let admin: TestUser;
beforeAll(async () => {
  database = await testDatabase();
  const url = new URL(database.url);
  // Far from UTC: a Postgres has the time zone of its machine.
  url.searchParams.set('options', '-c timezone=Asia/Tokyo');
  app = await startTestApp({ databaseUrl: url.href });
  admin = await app.registerUser({ role: 'admin' });
});
afterAll(async () => {
  await app.close();
  await database.drop();
});

const insert = (userId: string, times: string): Promise<unknown> =>
  app.ctx.database.query(
    `INSERT INTO usage (id, user_id, message_id, attempt, model, input_tokens, output_tokens, cache_read_tokens,
       cache_write_tokens, created_at)
     SELECT gen_random_uuid(), $1, gen_random_uuid(), 1, 'm', 1, 1, 0, 0, at FROM ${times} AS at`,
    [userId],
  );

const read = async (query: string) =>
  (await app.request('GET', `/usage?${query}`, { token: admin.accessToken })).body.items;

it('days begin and end at midnight in UTC, wherever the database is', async () => {
  const userId = randomUUID();
  const times = [
    '2026-02-28T23:59:59.999Z',
    '2026-03-01T00:00:00Z',
    '2026-03-01T23:59:59.999Z',
    '2026-03-02T00:00:00Z',
  ];
  await insert(userId, `unnest('{${times.join(',')}}'::timestamptz[])`);
  const days = async (query: string) =>
    (await read(`userId=${userId}&${query}`)).map(({ day, attempts }: { day: string; attempts: number }) => [
      day,
      attempts,
    ]);
  expect(await days('from=2026-03-01&to=2026-03-01')).toEqual([['2026-03-01', 2]]);
  expect(await days('from=2026-02-28&to=2026-03-02')).toEqual([
    ['2026-03-02', 1],
    ['2026-03-01', 2],
    ['2026-02-28', 1],
  ]);
});

it('what everybody used lately is found without reading all that was ever used', async () => {
  await insert(randomUUID(), "generate_series('2020-01-01', '2022-01-01', interval '1 hour')");
  await app.ctx.database.query('ANALYZE usage');
  await read('');
  await eventually(async () => {
    const { rows } = await app.ctx.database.query<{ scans: number }>(
      "SELECT idx_scan::int AS scans FROM pg_stat_user_indexes WHERE indexrelname = 'usage_created_at_idx'",
    );
    expect(rows[0]?.scans).toBeGreaterThan(0);
  });
});
