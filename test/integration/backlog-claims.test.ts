import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { claimJob, finishJob, guardClaim, leaseSeconds, renewLeases } from '../../shared/backlog/claim.js';
import { beginReply } from '../../shared/conversations/reply.js';
import { createLeases, type Leases } from '../../shared/backlog/leases.js';
import { ClaimLost } from '../../shared/errors.js';
import { createTestBacklog, type TestBacklog, type TestJob } from '../support/backlog.js';
import { eventually } from '../support/eventually.js';

let backlog: TestBacklog;
beforeAll(async () => {
  backlog = await createTestBacklog();
});
afterAll(() => backlog.close());

let job: TestJob;
beforeEach(async () => {
  job = await backlog.put();
  await backlog.dispatch(backlog.dispatcher(), [job.ready]);
});

/** The row as if its lease had run out and it had been given out again. */
async function giveOutAgain(): Promise<void> {
  await backlog.database.query(`UPDATE jobs SET state = 'pending', lease_until = NULL WHERE id = $1`, [job.id]);
  await backlog.dispatch(backlog.dispatcher(), [job.ready]);
}

/** The reply that the job is for, as it waits. */
async function storeReply(): Promise<void> {
  const ids = [randomUUID(), randomUUID(), randomUUID()];
  await backlog.database.query(
    `INSERT INTO users (id, email, name, password_hash, role) VALUES ($1, $2, 'A', '', 'regular')`,
    [ids[0], `${ids[0]}@example.com`],
  );
  await backlog.database.query(`INSERT INTO conversations (id, owner_id, title) VALUES ($1, $2, '')`, [ids[1], ids[0]]);
  await backlog.database.query(
    `INSERT INTO messages (id, conversation_id, seq, role, content, reply_to, state) VALUES
      ($1, $2, 1, 'user', 'Question', NULL, 'done'), ($3, $2, 2, 'assistant', '', $1, 'queued')`,
    [ids[2], ids[1], job.messageId],
  );
}

describe('a claim', () => {
  it('raises the attempt and sets a lease', async () => {
    const claimed = await backlog.claim(job.id);
    expect(claimed).toMatchObject({
      id: job.id,
      attempt: 1,
      failures: 0,
      subjectId: job.messageId,
      cancelRequested: false,
    });
    const { state, leaseMs, attempt } = await backlog.row(job.id);
    expect([state, attempt]).toEqual(['running', 1]);
    expect(leaseMs).toBeGreaterThan(leaseSeconds * 1_000 - 1_000);
    expect(leaseMs).toBeLessThanOrEqual(leaseSeconds * 1_000);
  });

  it('of one delivery succeeds once, however many ask at a time', async () => {
    const tries = await Promise.all(
      Array.from({ length: 20 }, () => claimJob(backlog.database, { id: job.id, delivery: 1 })),
    );
    expect(tries.filter(Boolean)).toHaveLength(1);
    expect((await backlog.row(job.id)).attempt).toBe(1);
  });

  it('of a delivery that is out of date, or was never made, gets nothing and changes nothing', async () => {
    await backlog.claim(job.id);
    await giveOutAgain();
    for (const delivery of [0, 1, 3]) expect(await claimJob(backlog.database, { id: job.id, delivery })).toBeNull();
    expect(await claimJob(backlog.database, { id: randomUUID(), delivery: 1 })).toBeNull();
    expect(await backlog.row(job.id)).toMatchObject({ state: 'queued', attempt: 1, delivery: 2 });
    expect(await backlog.claim(job.id)).toMatchObject({ attempt: 2 });
  });

  it('of what has ended gets nothing', async () => {
    await backlog.finish(await backlog.claim(job.id));
    expect(await claimJob(backlog.database, { id: job.id, delivery: 1 })).toBeNull();
  });
});

describe('an attempt that lost', () => {
  it('finishes nothing', async () => {
    const lost = await backlog.claim(job.id);
    await giveOutAgain();
    await expect(finishJob(backlog.database, lost, { state: 'done' })).rejects.toThrow(ClaimLost);
    expect((await backlog.row(job.id)).state).toBe('queued');
    const current = await backlog.claim(job.id);
    await expect(finishJob(backlog.database, lost, { state: 'done' })).rejects.toThrow(ClaimLost);
    expect(await backlog.row(job.id)).toMatchObject({ state: 'running', attempt: 2 });
    await backlog.finish(current);
    await expect(finishJob(backlog.database, current, { state: 'done' })).rejects.toThrow(ClaimLost);
  });

  it('stores nothing of a transaction that begins with the guard', async () => {
    const lost = await backlog.claim(job.id);
    await giveOutAgain();
    const write = backlog.database.transaction(async (tx) => {
      await guardClaim(tx, lost);
      await tx.query('UPDATE jobs SET progress = $2 WHERE id = $1', [job.id, '"written"']);
    });
    await expect(write).rejects.toThrow(ClaimLost);
    const { rows } = await backlog.database.query('SELECT progress FROM jobs WHERE id = $1', [job.id]);
    expect(rows).toEqual([{ progress: null }]);
  });

  it('begins no reply; the one that holds the job does, once', async () => {
    await storeReply();
    const lost = await backlog.claim(job.id);
    await giveOutAgain();
    await expect(beginReply(backlog.database, job.messageId, lost)).rejects.toThrow(ClaimLost);
    const current = await backlog.claim(job.id);
    await expect(beginReply(backlog.database, job.messageId, lost)).rejects.toThrow(ClaimLost);
    const read = () => backlog.database.query('SELECT state, attempt FROM messages WHERE id = $1', [job.messageId]);
    expect((await read()).rows).toEqual([{ state: 'queued', attempt: 0 }]);
    expect(await beginReply(backlog.database, job.messageId, current)).toMatchObject({
      reply: { id: job.messageId, state: 'running', attempt: 2 },
      triggerSeq: 1,
    });
    expect(await beginReply(backlog.database, job.messageId, current)).toBeNull();
    expect(await beginReply(backlog.database, randomUUID(), current)).toBeNull();
  });

  it('cannot lose between the guard and the commit', async () => {
    const claimed = await backlog.claim(job.id);
    const order: string[] = [];
    let taken: Promise<unknown> = Promise.resolve();
    await backlog.database.transaction(async (tx) => {
      await guardClaim(tx, claimed);
      taken = giveOutAgain().then(() => order.push('given out again'));
      await tx.query('UPDATE jobs SET progress = $2 WHERE id = $1', [job.id, '"written"']);
      order.push('written');
    });
    await taken;
    expect(order).toEqual(['written', 'given out again']);
  });
});

describe('an attempt that is to be made again', () => {
  it('waits as long as it says, and counts as a failure or not', async () => {
    const error = { code: 'some', message: 'Some.' };
    const first = await backlog.claim(job.id);
    await backlog.finish(first, { state: 'pending', delayMs: 30_000, counts: true, error });
    const waiting = await backlog.row(job.id);
    expect(waiting).toMatchObject({ state: 'pending', failures: 1, error, leaseMs: null, blocked: false });
    expect(waiting.waitsMs).toBeGreaterThan(28_000);
    expect(waiting.waitsMs).toBeLessThanOrEqual(30_000);

    await backlog.database.query('UPDATE jobs SET run_at = now() WHERE id = $1', [job.id]);
    await backlog.dispatch(backlog.dispatcher(), [job.ready]);
    await backlog.finish(await backlog.claim(job.id), { state: 'pending', delayMs: 0, counts: false, error: null });
    expect(await backlog.row(job.id)).toMatchObject({ state: 'pending', attempt: 2, failures: 1, error: null });
  });

  it('does not wait when it is to be cancelled', async () => {
    const claimed = await backlog.claim(job.id);
    await backlog.database.query('UPDATE jobs SET cancel_requested_at = now() WHERE id = $1', [job.id]);
    await backlog.finish(claimed, { state: 'pending', delayMs: 30_000, counts: true, error: null });
    const { waitsMs, priority } = await backlog.row(job.id);
    expect(waitsMs).toBeLessThanOrEqual(0);
    expect(priority).toBe(-1);
  });
});

describe('leases', () => {
  let leases: Leases | undefined;
  afterEach(() => leases?.close());

  it('are renewed for the attempt that holds them, and for no other', async () => {
    const lost = await backlog.claim(job.id);
    await giveOutAgain();
    const current = await backlog.claim(job.id);
    await backlog.database.query(`UPDATE jobs SET lease_until = now() + interval '1 second' WHERE id = $1`, [job.id]);
    expect(await renewLeases(backlog.database, [lost])).toEqual(new Map());
    expect((await backlog.row(job.id)).leaseMs).toBeLessThanOrEqual(1_000);
    expect(await renewLeases(backlog.database, [current])).toEqual(new Map([[job.id, { cancelRequested: false }]]));
    expect((await backlog.row(job.id)).leaseMs).toBeGreaterThan(2_000);
  });

  it('are renewed for as long as they are held', async () => {
    leases = createLeases(backlog.database, backlog.logger);
    const claimed = await backlog.claim(job.id);
    const held = leases.hold(claimed);
    const leaseUntil = async () =>
      (await backlog.database.query<{ at: Date }>('SELECT lease_until AS at FROM jobs WHERE id = $1', [job.id])).rows[0]
        ?.at;
    const first = Number(await leaseUntil());
    await eventually(async () => expect(Number(await leaseUntil())).toBeGreaterThan(first + 1_500));
    held.release();
    expect(leases.size).toBe(0);
    expect(held.signal.aborted).toBe(false);
  });

  it('tell an attempt that it has lost, or is to stop', async () => {
    leases = createLeases(backlog.database, backlog.logger);
    const lost = leases.hold(await backlog.claim(job.id));
    const other = await backlog.put();
    await backlog.dispatch(backlog.dispatcher(), [other.ready]);
    const cancelled = leases.hold(await backlog.claim(other.id));
    await giveOutAgain();
    await backlog.database.query('UPDATE jobs SET cancel_requested_at = now() WHERE id = $1', [other.id]);
    await eventually(() => expect([lost.signal.aborted, cancelled.signal.aborted]).toEqual([true, true]), {
      timeout: 3_000,
    });
    expect(lost.signal.reason).toBeInstanceOf(ClaimLost);
    expect(cancelled.signal.reason).toMatchObject({ name: 'JobStopped', reason: 'cancelled' });
  });

  it('of a process that got its own lost job again are those of the new attempt', async () => {
    leases = createLeases(backlog.database, backlog.logger);
    const first = leases.hold(await backlog.claim(job.id));
    await giveOutAgain();
    const second = leases.hold(await backlog.claim(job.id));
    expect(first.signal.reason).toBeInstanceOf(ClaimLost);
    first.release();
    expect(leases.size).toBe(1);
    expect(second.signal.aborted).toBe(false);
  });

  it('of a process that stops are given up at once, also those that it is still given', async () => {
    leases = createLeases(backlog.database, backlog.logger);
    const claimed = await backlog.claim(job.id);
    leases.stopAll();
    expect(leases.hold(claimed).signal.reason).toMatchObject({ name: 'JobStopped', reason: 'shutdown' });
  });
});
