import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, type Database, type Statement } from '../../shared/database.js';
import { createLogger } from '../../shared/logger.js';
import { testDatabase } from '../support/stack.js';

let database: Database;
let drop: () => Promise<void>;

beforeAll(async () => {
  const made = await testDatabase();
  drop = made.drop;
  // Of one connection: what a batch leaves behind on it, the next one meets.
  database = createDatabase(
    { url: made.url, maxPoolSize: 1, poolTimeoutMs: 5_000 },
    createLogger({ level: 'silent', role: 'test' }),
  );
});

afterAll(async () => {
  await database.close();
  await drop();
});

const put = (name: string): Statement => ({
  name: 'put-setting',
  text: `INSERT INTO settings (name, value) VALUES ($1, '1') RETURNING name`,
  values: [name],
});

async function isThere(name: string): Promise<boolean> {
  const { rowCount } = await database.query('SELECT 1 FROM settings WHERE name = $1', [name]);
  return rowCount === 1;
}

it('answers each statement in its turn, and keeps what they wrote', async () => {
  const [one, other] = [randomUUID(), randomUUID()];
  const answers = await database.batch<[{ name: string }, { name: string }]>([put(one), put(other)]);
  expect(answers.map(({ rows }) => rows)).toEqual([[{ name: one }], [{ name: other }]]);
  expect([await isThere(one), await isThere(other)]).toEqual([true, true]);
});

it('keeps nothing when one fails, tells which error it was, and leaves the connection as good as before', async () => {
  const [one, other] = [randomUUID(), randomUUID()];
  const failing = { name: 'divide', text: 'SELECT 1 / $1::int', values: [0] };
  await expect(database.batch([put(one), failing, put(other)])).rejects.toThrow('division by zero');
  expect([await isThere(one), await isThere(other)]).toEqual([false, false]);
  await database.batch([put(one)]);
  expect(await isThere(one)).toBe(true);
});

it('settings of a batch end with it', async () => {
  const setting = { name: 'set-here', text: `SELECT set_config('plan_cache_mode', 'force_generic_plan', true)` };
  const asking = { name: 'show-here', text: `SELECT current_setting('plan_cache_mode') AS mode` };
  const [, inside] = await database.batch<[object, { mode: string }]>([setting, asking]);
  const { rows } = await database.query(asking);
  expect([inside.rows, rows]).toEqual([[{ mode: 'force_generic_plan' }], [{ mode: 'auto' }]]);
});
