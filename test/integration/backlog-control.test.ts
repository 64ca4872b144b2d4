import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { claimJob } from '../../shared/backlog/claim.js';
import { findJob, requestCancel, retryJob } from '../../shared/backlog/control.js';
import type { Dispatcher } from '../../shared/backlog/dispatch.js';
import { createTestBacklog, slots, type TestBacklog, type TestJob } from '../support/backlog.js';

let backlog: TestBacklog;
let dispatcher: Dispatcher;
beforeAll(async () => {
  backlog = await createTestBacklog();
  dispatcher = backlog.dispatcher();
});
afterAll(() => backlog.close());
let job: TestJob;
beforeEach(async () => {
  job = await backlog.put({ orderKey: `conversation:${randomUUID()}` });
});

const cancel = ({ messageId }: TestJob) =>
  requestCancel(backlog.database, { subjectId: messageId, kind: 'reply-to-message' });
const again = { state: 'pending', delayMs: 60_000, counts: true, error: null } as const;
const failed = { state: 'failed', error: { code: 'some', message: 'Some.' } } as const;
const run = async () => {
  await backlog.dispatch(dispatcher, [job.ready]);
  return backlog.claim(job.id);
};

describe('a cancel of a job', () => {
  it('that waits for another one of its key, or for its turn, ends it at once', async () => {
    const next = await backlog.put({ userId: job.userId, orderKey: job.ready.orderKey });
    await run();
    expect((await cancel(next))?.state).toBe('cancelled');
    expect(await backlog.row(next.id)).toMatchObject({ state: 'cancelled', attempt: 0 });
    const free = await backlog.put();
    expect((await cancel(free))?.state).toBe('cancelled');
    await backlog.dispatch(dispatcher, [free.ready]);
    expect((await backlog.row(free.id)).state).toBe('cancelled');
  });

  it('that is on its way to a worker ends it too: the delivery is worth nothing any more', async () => {
    await backlog.dispatch(dispatcher, [job.ready]);
    expect(await backlog.row(job.id)).toMatchObject({ state: 'queued', delivery: 1 });
    const next = await backlog.put({ userId: job.userId, orderKey: job.ready.orderKey });
    const cancelled = await cancel(job);
    expect(cancelled?.state).toBe('cancelled');
    expect(await claimJob(backlog.database, { id: job.id, delivery: 1 })).toBeNull();
    if (cancelled) await backlog.dispatch(dispatcher, [cancelled.ready]);
    expect((await backlog.row(next.id)).state).toBe('queued');
  });

  it('that runs leaves a note for its attempt, and for the next one', async () => {
    const claimed = await run();
    expect((await cancel(job))?.state).toBe('running');
    expect(await backlog.row(job.id)).toMatchObject({ state: 'running', attempt: 1 });
    await backlog.dispatch(dispatcher, [await backlog.finish(claimed, again)]);
    expect(await backlog.claim(job.id)).toMatchObject({ attempt: 2, cancelRequested: true });
  });

  it('that waits for its next try lets it be made at once, before everything else of its user', async () => {
    await backlog.finish(await run(), again);
    const others = [];
    for (let n = 0; n < slots; n += 1) others.push(await backlog.put({ userId: job.userId }));
    const cancelled = await cancel(job);
    expect(cancelled?.state).toBe('pending');
    if (cancelled) await backlog.dispatch(dispatcher, [cancelled.ready]);
    expect(await backlog.claim(job.id)).toMatchObject({ cancelRequested: true });
    expect((await backlog.row(others.at(-1)?.id ?? '')).state).toBe('pending');
  });

  it('that has ended, however it did, changes nothing', async () => {
    await backlog.finish(await run());
    expect(await cancel(job)).toBeNull();
    const other = await backlog.put();
    await cancel(other);
    expect(await cancel(other)).toBeNull();
    expect(await cancel({ ...job, messageId: randomUUID() })).toBeNull();
  });
});

describe('a retry of a job', () => {
  it('that has failed gives it all its tries again', async () => {
    await backlog.finish(await run(), again);
    await backlog.database.query('UPDATE jobs SET run_at = now() WHERE id = $1', [job.id]);
    await backlog.finish(await run(), failed);
    expect(await backlog.row(job.id)).toMatchObject({ state: 'failed', failures: 1, error: failed.error });
    const ready = await retryJob(backlog.database, job.id);
    expect(await backlog.row(job.id)).toMatchObject({ state: 'pending', failures: 0, attempt: 2, error: null });
    expect(ready).toEqual(job.ready);
    expect(await run()).toMatchObject({ attempt: 3, failures: 0, cancelRequested: false });
  });

  it('that has not failed is refused, and so is the second of two', async () => {
    expect(await retryJob(backlog.database, job.id)).toBeNull();
    const claimed = await run();
    expect(await retryJob(backlog.database, job.id)).toBeNull();
    await backlog.finish(claimed, failed);
    const tries = await Promise.all([1, 2, 3, 4].map(() => retryJob(backlog.database, job.id)));
    expect(tries.filter(Boolean)).toHaveLength(1);
    await backlog.finish(await run());
    expect(await retryJob(backlog.database, job.id)).toBeNull();
  });
});

it('a job that waits knows its place in the line', async () => {
  const { userId } = job;
  const jobs = [job];
  for (let n = 0; n < 4; n += 1) jobs.push(await backlog.put({ userId }));
  const urgent = await backlog.put({ userId, priority: -1 });
  const places = [];
  for (const { id } of [...jobs, urgent]) places.push((await findJob(backlog.database, id))?.position);
  expect(places).toEqual([1, 2, 3, 4, 5, 0]);
  await backlog.dispatch(dispatcher, [urgent.ready]);
  expect((await findJob(backlog.database, urgent.id))?.position).toBeNull();
});
