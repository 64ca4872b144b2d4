import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { leaseSeconds } from '../../shared/backlog/claim.js';
import type { Dispatcher } from '../../shared/backlog/dispatch.js';
import type { RunQueues } from '../../shared/backlog/run-queues.js';
import { startSweep } from '../../shared/backlog/sweep.js';
import { createDatabase } from '../../shared/database.js';
import { createLogger } from '../../shared/logger.js';
import { eventually } from '../support/eventually.js';
import { ownPostgres } from '../support/stack.js';

it('after a restart of Postgres no lease counts as expired until its holder has had the time to renew it', async () => {
  const postgres = await ownPostgres();
  const logger = createLogger({ level: 'silent', role: 'test' });
  const database = createDatabase({ url: postgres.url, maxPoolSize: 3, poolTimeoutMs: 10_000 }, logger);
  const id = randomUUID();
  await database.query(
    `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, state, attempt, lease_until)
     VALUES ($1, 'reply-to-message', 'replies', '{}', $1, $1, 'running', 1, now() - interval '1 second')`,
    [id],
  );
  await postgres.restart();

  // Of a worker that is as new as the server: it has seen no outage.
  const dispatcher: Dispatcher = { kick: () => {}, settled: async () => {}, close: async () => {} };
  const runQueues = { isReady: () => false } as RunQueues;
  const sweep = startSweep({ database, runQueues, dispatcher, logger, onTakeover: () => {} });
  const row = async () => {
    const { rows } = await database.query<{ state: string; failures: number; seconds: number }>(
      `SELECT state, failures, extract(epoch FROM run_at - pg_postmaster_start_time())::float8 AS seconds
       FROM jobs WHERE id = $1`,
      [id],
    );
    return rows[0];
  };
  await eventually(async () => expect(await row()).toMatchObject({ state: 'pending', failures: 1 }));
  expect((await row())?.seconds).toBeGreaterThan(leaseSeconds);

  await sweep.close();
  await database.close();
  await postgres.remove();
});
