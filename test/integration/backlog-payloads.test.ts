import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestSystem, type TestSystem } from '../support/system.js';
import { eventually } from '../support/eventually.js';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem({ modelApi: { rate: 0 } });
});
afterAll(() => system.close());

async function insertJob(job: {
  kind: string;
  payload: object;
  subjectId: string;
  failures?: number;
}): Promise<string> {
  const id = randomUUID();
  await system.app.ctx.database.query(
    `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, failures) VALUES ($1, $2, 'replies', $3, $4, $5, $6)`,
    [id, job.kind, job.payload, randomUUID(), job.subjectId, job.failures ?? 0],
  );
  return id;
}

async function jobRow(id: string) {
  const { rows } = await system.app.ctx.database.query('SELECT state, error, failures FROM jobs WHERE id = $1', [id]);
  return rows[0];
}

const becomes = (id: string, expected: object) =>
  eventually(async () => expect(await jobRow(id)).toMatchObject(expected));

/** A reply that was accepted without a job. */
async function acceptReply() {
  const { user, conversationId } = await system.openConversation();
  const { body } = await system.post(user, conversationId, { content: '[[stand-in: echo]] hello', reply: false });
  const replyId = randomUUID();
  await system.app.ctx.database.query(
    `INSERT INTO messages (id, conversation_id, seq, role, reply_to, state) VALUES ($1, $2, 2, 'assistant', $3, 'queued')`,
    [replyId, conversationId, body.message.id],
  );
  return { user, replyId };
}

describe('a job of another release', () => {
  it('whose payload has what this one does not know is done all the same', async () => {
    const { user, replyId } = await acceptReply();
    const payload = { messageId: replyId, addedLater: { by: 'a newer release' } };
    const id = await insertJob({ kind: 'reply-to-message', payload, subjectId: replyId });
    expect(await system.ended(user, replyId)).toMatchObject({ state: 'done', content: 'hello' });
    await becomes(id, { state: 'done' });
  });

  it('whose payload lacks what this one needs fails, and its reply says so', async () => {
    const { user, replyId } = await acceptReply();
    const id = await insertJob({ kind: 'reply-to-message', payload: { message: replyId }, subjectId: replyId });
    const error = { code: 'invalid_payload', message: 'The job cannot be read by this release.' };
    expect(await system.ended(user, replyId)).toMatchObject({ state: 'failed', error });
    await becomes(id, { state: 'failed', error });
  });

  it('of a kind that is not known here waits for a worker that knows it, for a while', async () => {
    const kind = 'from-the-future';
    const error = { code: 'unknown_kind' };
    const young = await insertJob({ kind, payload: {}, subjectId: randomUUID() });
    const old = await insertJob({ kind, payload: {}, subjectId: randomUUID(), failures: 29 });
    await becomes(young, { state: 'pending', failures: 1, error });
    await becomes(old, { state: 'failed', error });
  });
});

it('a job whose workers died again and again is given up, and its reply says so', async () => {
  const { user, replyId } = await acceptReply();
  await insertJob({ kind: 'reply-to-message', payload: { messageId: replyId }, subjectId: replyId, failures: 6 });
  const error = { code: 'worker_lost', message: expect.stringMatching(/again and again/) };
  expect(await system.ended(user, replyId)).toMatchObject({ state: 'failed', error });
});

it('a job whose subject is gone ends quietly', async () => {
  const { user, replyId } = await acceptReply();
  const { body } = await system.app.request('GET', `/messages/${replyId}`, { token: user.accessToken });
  await system.app.request('DELETE', `/conversations/${body.conversationId}`, { token: user.accessToken });
  const id = await insertJob({ kind: 'reply-to-message', payload: { messageId: replyId }, subjectId: replyId });
  await becomes(id, { state: 'done', error: null });
});

it('a reply whose conversation is deleted in mid-stream ends quietly', async () => {
  const { user, conversationId } = await system.openConversation();
  const { body } = await system.post(user, conversationId, { content: '[[stand-in: tokens=100 rate=50]]' });
  await eventually(() => expect(system.modelApi.counts.open).toBe(1));
  await system.app.request('DELETE', `/conversations/${conversationId}`, { token: user.accessToken });
  await eventually(() => expect(system.modelApi.counts.open).toBe(0));
  await eventually(async () => expect(['done', 'cancelled', undefined]).toContain((await jobRow(body.jobId))?.state));
});
