import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { claimJob } from '../../shared/backlog/claim.js';
import type { RunQueues } from '../../shared/backlog/run-queues.js';
import { startSweep } from '../../shared/backlog/sweep.js';
import { createDatabase } from '../../shared/database.js';
import { createTestBacklog, slots, type TestBacklog, type TestJob } from '../support/backlog.js';
import { ownRedis } from '../support/stack.js';
import { eventually } from '../support/eventually.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

vi.setConfig({ testTimeout: 60_000 });

let server: Awaited<ReturnType<typeof ownRedis>>;
let backlog: TestBacklog;
let taken: string[];
let sweeps: { close(): Promise<void> }[];
beforeAll(async () => {
  server = await ownRedis();
});
afterAll(() => server.remove());
beforeEach(async () => {
  backlog = await createTestBacklog({ redisUrl: server.url });
  await backlog.redis.flushall();
  taken = [];
  sweeps = [];
});
afterEach(async () => {
  for (const sweep of sweeps) await sweep.close();
  await backlog.close();
});

/** Sweeps as workers do, from now on. */
function sweep(count = 1): void {
  for (let n = 0; n < count; n += 1) {
    const { database, runQueues, logger } = backlog;
    const onTakeover = ({ id }: { id: string }) => void taken.push(id);
    sweeps.push(startSweep({ database, runQueues, dispatcher: backlog.dispatcher(), logger, onTakeover }));
  }
}

async function putMany(count: number, userId = randomUUID()): Promise<TestJob[]> {
  return Promise.all(Array.from({ length: count }, () => backlog.put({ userId })));
}

/** Everything that BullMQ would give to workers. */
async function delivered(): Promise<{ id: string; delivery: number }[]> {
  const jobs = await backlog.runQueues.queues.get('replies')?.getJobs(['waiting']);
  return (jobs ?? []).map(({ data }) => data as { id: string; delivery: number });
}

const until = (check: () => Promise<void>, timeout = 20_000) => eventually(check, { timeout, interval: 100 });

describe('the sweep', () => {
  it('gives out what nobody was told of', async () => {
    const jobs = [...(await putMany(3)), await backlog.put({ orderKey: `conversation:${randomUUID()}` })];
    sweep(3);
    await until(async () => {
      for (const { id } of jobs) expect(await backlog.row(id)).toMatchObject({ state: 'queued', delivery: 1 });
    });
  });

  it('gives deliveries that Redis lost a new number, and leaves the others alone', async () => {
    const [lost, kept] = [await putMany(slots), await putMany(slots)];
    const dispatcher = backlog.dispatcher();
    await backlog.dispatch(
      dispatcher,
      [...lost, ...kept].map(({ ready }) => ready),
    );
    for (const { id } of lost) await backlog.runQueues.queues.get('replies')?.remove(`${id}-1`);
    sweep(3);
    await until(async () => {
      for (const { id } of lost) expect(await backlog.row(id)).toMatchObject({ state: 'queued', delivery: 2 });
    });
    for (const { id } of kept) expect(await backlog.row(id)).toMatchObject({ state: 'queued', delivery: 1 });
    expect((await delivered()).length).toBe(2 * slots);
  });

  it('takes jobs from workers that fell silent; after three of them the job itself is suspected', async () => {
    const [job, held] = [await backlog.put(), await backlog.put()];
    const dispatcher = backlog.dispatcher();
    await backlog.dispatch(dispatcher, [job.ready, held.ready]);
    const claimed = await backlog.claim(held.id);
    sweep(2);
    for (const failures of [1, 2, 3, 4]) {
      await backlog.claim(job.id);
      await backlog.database.query(`UPDATE jobs SET lease_until = now() - interval '1 second' WHERE id = $1`, [job.id]);
      await until(async () => expect((await backlog.row(job.id)).failures).toBe(failures), 10_000);
      expect((await backlog.row(job.id)).error).toMatchObject({ code: 'worker_lost' });
      if (failures < 4) await until(async () => expect((await backlog.row(job.id)).state).toBe('queued'));
      await backlog.database.query(`UPDATE jobs SET lease_until = now() + interval '4 seconds' WHERE id = $1`, [
        held.id,
      ]);
    }
    const { state, waitsMs } = await backlog.row(job.id);
    expect(state).toBe('pending');
    expect(waitsMs).toBeGreaterThan(300);
    expect(taken).toEqual([job.id, job.id, job.id, job.id]);
    expect(await backlog.row(held.id)).toMatchObject({ state: 'running', attempt: 1, failures: 0 });
    await backlog.finish(claimed);
  });

  it('blames nobody for a lease that ended while Postgres hung', async () => {
    const proxy = await startTcpProxy(backlog.databaseUrl);
    const hanging = createDatabase({ url: proxy.url, maxPoolSize: 5, poolTimeoutMs: 10_000 }, backlog.logger);
    const { runQueues, logger } = backlog;
    const onTakeover = ({ id }: { id: string }) => void taken.push(id);
    const sweep = startSweep({ database: hanging, runQueues, dispatcher: backlog.dispatcher(), logger, onTakeover });
    const [late, held] = [await backlog.put(), await backlog.put()];
    await backlog.dispatch(backlog.dispatcher(), [late.ready, held.ready]);
    await backlog.claim(late.id);
    await backlog.database.query(`UPDATE jobs SET lease_until = now() - interval '1 second' WHERE id = $1`, [late.id]);
    await until(async () => expect(taken).toEqual([late.id]));

    await backlog.claim(held.id);
    proxy.block();
    await until(async () => expect((await backlog.row(held.id)).leaseMs).toBeLessThan(-1_500));
    const hungUntil = performance.now();
    proxy.unblock();
    await until(async () => expect(sweep.lastProgressAt()).toBeGreaterThan(hungUntil));
    // What was sent while it hung is done by now. The worker would renew its lease in this moment.
    expect(await backlog.row(held.id)).toMatchObject({ state: 'running', attempt: 1, failures: 0 });
    // This one does not.
    await until(async () => expect(taken).toEqual([late.id, held.id]));
    await sweep.close();
    await hanging.close();
    await proxy.close();
  });

  it('schedules the upkeep once, however many there are', async () => {
    sweep(5);
    const cleans = async () => (await backlog.database.query(`SELECT state FROM jobs WHERE kind = 'clean'`)).rows;
    await until(async () => expect(await cleans()).toEqual([{ state: 'queued' }]));
    const swept = await backlog.put();
    await until(async () => expect((await backlog.row(swept.id)).state).toBe('queued'));
    expect(await cleans()).toHaveLength(1);
  });

  it('of one process is not held up by a row that another has locked', async () => {
    const [locked, other] = [await backlog.put(), await backlog.put()];
    await backlog.dispatch(backlog.dispatcher(), [locked.ready, other.ready]);
    for (const { id } of [locked, other]) await backlog.claim(id);
    await backlog.database.query(`UPDATE jobs SET lease_until = now() - interval '1 second'`);
    await backlog.database.transaction(async (tx) => {
      await tx.query('SELECT 1 FROM jobs WHERE id = $1 FOR UPDATE', [locked.id]);
      sweep();
      const keepAlive = setInterval(() => void tx.query('SELECT 1'), 1_000);
      await until(async () => expect((await backlog.row(other.id)).state).toBe('queued'), 9_000);
      clearInterval(keepAlive);
      expect((await backlog.row(locked.id)).state).toBe('running');
    });
    await until(async () => expect((await backlog.row(locked.id)).state).toBe('queued'));
  });
});

describe('while Redis is away', () => {
  it('nothing is admitted, nobody waits, and the sweep goes on when it is back', async () => {
    const jobs = await putMany(slots);
    sweep();
    await server.stop();
    await eventually(() => expect(backlog.runQueues.isReady()).toBe(false));
    const startedAt = performance.now();
    const more = await putMany(3);
    await backlog.dispatch(
      backlog.dispatcher(),
      [...jobs, ...more].map(({ ready }) => ready),
    );
    // A command that waits for Redis is given up after 2 s.
    expect(performance.now() - startedAt).toBeLessThan(1_900);
    for (const { id } of more) expect(await backlog.row(id)).toMatchObject({ state: 'pending', delivery: 0 });
    await server.start();
    await until(async () => {
      const found = new Set((await delivered()).map(({ id }) => id));
      for (const { id } of [...jobs, ...more]) expect(found).toContain(id);
    }, 12_000);
  });

  it('when it fails in the middle of a hand-over, every job still runs, once', async () => {
    const jobs = [...(await putMany(slots)), ...(await putMany(slots))];
    let adds = 0;
    const failing: RunQueues = {
      ...backlog.runQueues,
      async add(deliveries) {
        adds += 1;
        await backlog.runQueues.add(deliveries.slice(0, deliveries.length / 2));
        throw new Error('Connection is closed.');
      },
    };
    await backlog.dispatch(
      backlog.dispatcher({ runQueues: failing }),
      jobs.map(({ ready }) => ready),
    );
    expect(adds).toBe(1);
    for (const { id } of jobs) expect(await backlog.row(id)).toMatchObject({ state: 'pending', delivery: 1 });
    expect(await delivered()).toHaveLength(slots);

    await backlog.dispatch(
      backlog.dispatcher(),
      jobs.map(({ ready }) => ready),
    );
    const deliveries = await delivered();
    expect(deliveries).toHaveLength(3 * slots);
    const claims = await Promise.all(deliveries.map((delivery) => claimJob(backlog.database, delivery)));
    expect(new Set(claims.flatMap((claimed) => claimed?.id ?? []))).toEqual(new Set(jobs.map(({ id }) => id)));
    expect(claims.filter(Boolean)).toHaveLength(jobs.length);
  });

  it('when it fails and Postgres too, the row is found by the sweep', async () => {
    const job = await backlog.put();
    let bury = (): void => {};
    const failing: RunQueues = {
      ...backlog.runQueues,
      async add() {
        await backlog.database.query(`UPDATE jobs SET queued_at = now() - interval '10 seconds' WHERE id = $1`, [
          job.id,
        ]);
        // As if the process had died here: nobody takes the delivery back.
        await new Promise<void>((resolve) => (bury = resolve));
      },
    };
    backlog.dispatcher({ runQueues: failing }).kick(job.ready);
    await until(async () => expect((await backlog.row(job.id)).state).toBe('queued'));
    sweep();
    await until(async () => expect(await backlog.row(job.id)).toMatchObject({ state: 'queued', delivery: 2 }));
    expect(await delivered()).toEqual([{ id: job.id, delivery: 2 }]);
    bury();
  });
});
