import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { claimJob } from '../../shared/backlog/claim.js';
import type { Dispatcher } from '../../shared/backlog/dispatch.js';
import { unblockFirst } from '../../shared/backlog/unblock.js';
import { createTestBacklog, laneOf, slots, type TestBacklog, type TestJob } from '../support/backlog.js';

let backlog: TestBacklog;
let dispatchers: Dispatcher[];
beforeAll(async () => {
  backlog = await createTestBacklog();
  dispatchers = Array.from({ length: 10 }, () => backlog.dispatcher());
});
afterAll(() => backlog.close());
let userId: string;
beforeEach(() => {
  userId = randomUUID();
});
afterEach(() => expect(backlog.complaints).toEqual([]));

async function putMany(count: number, options: Parameters<TestBacklog['put']>[0] = {}): Promise<TestJob[]> {
  const jobs: TestJob[] = [];
  for (let n = 0; n < count; n += 1) jobs.push(await backlog.put({ userId, ...options }));
  return jobs;
}

/** Kicks every dispatcher at once, and waits until they have come to rest. */
async function dispatchByAll(ready: TestJob['ready'][]): Promise<void> {
  await Promise.all(dispatchers.map((dispatcher) => backlog.dispatch(dispatcher, ready)));
}

async function queuedOf(users: string[]): Promise<{ id: string; delivery: number }[]> {
  const { rows } = await backlog.database.query<{ id: string; delivery: number }>(
    `SELECT id, delivery FROM jobs WHERE user_id = ANY($1::uuid[]) AND state = 'queued' ORDER BY random()`,
    [users],
  );
  return rows;
}

describe('admission', () => {
  it('never goes above the places of a user, with ten dispatchers at work', { timeout: 60_000 }, async () => {
    const users = [userId, randomUUID(), randomUUID()];
    for (const user of users) await putMany(60, { userId: user });
    const ready = users.map((user) => ({ lane: laneOf(user) }));
    let most = 0;
    let watching = true;
    const watch = (async () => {
      while (watching) {
        const { rows } = await backlog.database.query<{ most: number }>(
          `SELECT coalesce(max(count), 0)::int AS most FROM (
             SELECT count(*) FROM jobs WHERE state IN ('queued', 'running') GROUP BY user_id) AS users`,
        );
        most = Math.max(most, rows[0]?.most ?? 0);
      }
    })();
    let done = 0;
    const work = async (): Promise<void> => {
      while (done < 180) {
        await dispatchByAll(ready);
        for (const delivery of await queuedOf(users)) {
          const claimed = await claimJob(backlog.database, delivery);
          if (!claimed) continue;
          const freed = await backlog.finish(claimed);
          for (const dispatcher of dispatchers) dispatcher.kick(freed);
          done += 1;
        }
      }
    };
    await Promise.all([work(), work(), work()]);
    watching = false;
    await watch;
    expect(done).toBe(180);
    expect(most).toBe(slots);
  });

  it('of one user with thousands of jobs does not make others wait', async () => {
    await putMany(1);
    await backlog.database.query(
      `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id)
       SELECT gen_random_uuid(), kind, queue, payload, user_id, subject_id FROM jobs, generate_series(1, 2000) WHERE user_id = $1`,
      [userId],
    );
    const [dispatcher] = dispatchers;
    if (!dispatcher) throw new Error('no dispatcher');
    await backlog.dispatch(dispatcher, [{ lane: laneOf(userId) }]);
    const others = await Promise.all(Array.from({ length: 20 }, () => backlog.put()));
    // One round of the dispatcher, and all of them have got their places.
    await backlog.dispatch(dispatcher, [{ lane: laneOf(userId) }, ...others.map(({ ready }) => ready)]);
    for (const other of others) expect((await backlog.row(other.id)).state).toBe('queued');
    expect((await backlog.states(userId)).filter((state) => state === 'queued')).toHaveLength(slots);
  });

  it('asks for no lock of a user who has no place free, so that nobody who is dispatched with them waits for it', async () => {
    await putMany(slots + 1);
    await dispatchByAll([{ lane: laneOf(userId) }]);
    const [dispatcher] = dispatchers;
    const other = await backlog.put();
    await backlog.database.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('replies ' || $1, 0))`, [userId]);
      await backlog.dispatch(dispatcher as Dispatcher, [{ lane: laneOf(userId) }, other.ready]);
      expect((await backlog.row(other.id)).state).toBe('queued');
    });
  });

  it('takes the smallest priority first, and else the order of acceptance', async () => {
    const [late, first, urgent] = [
      await backlog.put({ userId, priority: 5 }),
      await backlog.put({ userId }),
      await backlog.put({ userId, priority: -1 }),
    ];
    const rest = await putMany(slots - 2);
    await dispatchByAll([late.ready]);
    const admitted = new Set((await queuedOf([userId])).map(({ id }) => id));
    expect(admitted).toEqual(new Set([urgent.id, first.id, ...rest.map(({ id }) => id)]));
    expect((await backlog.row(late.id)).state).toBe('pending');
  });

  it('waits for the time of a job, which takes no place of others meanwhile', async () => {
    const [first, second] = await putMany(2);
    await backlog.database.query(`UPDATE jobs SET run_at = now() + interval '1 hour' WHERE id = $1`, [first?.id]);
    await dispatchByAll([{ lane: laneOf(userId) }]);
    expect(await backlog.states(userId)).toEqual(['pending', 'queued']);
    expect((await backlog.row(second?.id ?? '')).delivery).toBe(1);
  });

  it('takes a job with the very kick that follows its acceptance, every time', async () => {
    const [dispatcher] = dispatchers;
    for (let n = 0; n < 150 && dispatcher; n += 1) {
      const job = await backlog.put();
      await backlog.dispatch(dispatcher, [job.ready]);
      expect((await backlog.row(job.id)).state).toBe('queued');
    }
  });

  it('gives each delivery a number of its own, and BullMQ each of them once', async () => {
    const jobs = await putMany(slots);
    await dispatchByAll([{ lane: laneOf(userId) }]);
    const waiting = (await backlog.runQueues.queues.get('replies')?.getJobs(['waiting'])) ?? [];
    const ids = waiting.map(({ id }) => id);
    for (const { id } of jobs) {
      expect((await backlog.row(id)).delivery).toBe(1);
      expect(ids.filter((bull) => bull?.startsWith(id))).toEqual([`${id}-1`]);
    }
  });
});

describe('jobs with one order key', () => {
  /** Does everything there is with the key, in as many workers as there are deliveries; returns the order. */
  async function workOff(jobs: TestJob[]): Promise<string[]> {
    const order: string[] = [];
    const users = [...new Set(jobs.map((job) => job.userId))];
    await dispatchByAll(jobs.map(({ ready }) => ready));
    while (order.length < jobs.length) {
      const deliveries = await queuedOf(users);
      expect(deliveries.length).toBeLessThanOrEqual(1);
      for (const delivery of deliveries) {
        const claimed = await claimJob(backlog.database, delivery);
        if (!claimed) continue;
        order.push(claimed.id);
        await dispatchByAll([await backlog.finish(claimed)]);
      }
    }
    return order;
  }

  it('run one at a time in the order of acceptance, also of 20 users', async () => {
    const orderKey = `conversation:${randomUUID()}`;
    const users = Array.from({ length: 20 }, () => randomUUID());
    const jobs: TestJob[] = [];
    for (let n = 0; n < 40; n += 1) jobs.push(await backlog.put({ userId: users[(n * 7) % 20] ?? userId, orderKey }));
    expect(await workOff(jobs)).toEqual(jobs.map(({ id }) => id));
  });

  it('take no place of their user while they wait for each other', async () => {
    const ordered = await putMany(slots + 3, { orderKey: `conversation:${userId}` });
    const others = await putMany(slots - 1);
    await dispatchByAll(ordered.map(({ ready }) => ready));
    for (const { id } of others) expect((await backlog.row(id)).state).toBe('queued');
    expect((await backlog.row(ordered[0]?.id ?? '')).state).toBe('queued');
  });

  it('an earlier one that comes back waits for the one that runs, and goes before the later ones', async () => {
    const orderKey = `conversation:${userId}`;
    const [first, second, third] = await putMany(3, { orderKey });
    if (!first || !second || !third) throw new Error('jobs are missing');
    await dispatchByAll([first.ready]);
    const error = { code: 'some', message: 'Some.' };
    await dispatchByAll([await backlog.finish(await backlog.claim(first.id), { state: 'failed', error })]);
    expect(await backlog.states(userId)).toEqual(['failed', 'queued', 'pending']);
    const running = await backlog.claim(second.id);

    await backlog.database.query(
      `UPDATE jobs SET state = 'pending', blocked = true, finished_at = NULL WHERE id = $1`,
      [first.id],
    );
    await dispatchByAll([first.ready]);
    expect(await backlog.states(userId)).toEqual(['pending', 'running', 'pending']);
    await dispatchByAll([await backlog.finish(running)]);
    expect(await backlog.states(userId)).toEqual(['queued', 'done', 'pending']);
    await dispatchByAll([await backlog.finish(await backlog.claim(first.id))]);
    expect(await backlog.states(userId)).toEqual(['done', 'done', 'queued']);
  });

  it('one that waits for its next try keeps the others waiting', async () => {
    const [first, second] = await putMany(2, { orderKey: `conversation:${userId}` });
    if (!first || !second) throw new Error('jobs are missing');
    await dispatchByAll([first.ready]);
    const again = { state: 'pending', delayMs: 60_000, counts: true, error: null } as const;
    await dispatchByAll([await backlog.finish(await backlog.claim(first.id), again)]);
    expect(await backlog.states(userId)).toEqual(['pending', 'pending']);
    expect((await backlog.row(second.id)).blocked).toBe(true);
  });

  it('of many keys, met by the dispatchers in every order: nobody waits for each other, none is forgotten', async () => {
    const keys = Array.from({ length: 200 }, () => `conversation:${randomUUID()}`);
    const jobs = await Promise.all(keys.map((orderKey) => backlog.put({ orderKey })));
    const someOf = (part: number) => jobs.filter((_, index) => (index * 7 + part) % 3 > 0).map(({ ready }) => ready);
    await Promise.all([
      ...dispatchers.map((dispatcher, part) =>
        backlog.dispatch(dispatcher, part % 2 > 0 ? someOf(part) : someOf(part).reverse()),
      ),
      ...[keys, [...keys].reverse()].map((all) => unblockFirst(backlog.database, all)),
    ]);
    await dispatchByAll(jobs.map(({ ready }) => ready));
    for (const { id } of jobs) expect(await backlog.row(id)).toMatchObject({ state: 'queued', delivery: 1 });
  });
});
