import { afterAll, beforeAll, expect, it } from 'vitest';
import { retryJob } from '../../shared/backlog/control.js';
import { regenerateReply } from '../../shared/conversations/regenerate-reply.js';
import { requeueReply } from '../../shared/conversations/requeue-reply.js';
import { readEvents } from '../support/event-source.js';
import { eventually } from '../support/eventually.js';
import { connectRaw } from '../support/sockets.js';
import { startTestSystem, type TestSystem } from '../support/system.js';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem({
    retryBaseMs: 20,
    modelApi: {
      rate: 200,
      script: ({ body }) =>
        JSON.stringify(body.messages.at(-1)).includes('Be odd')
          ? { error: { status: 400, type: 'invalid_request_error', message: '\ud800odd\u0000' } }
          : undefined,
    },
  });
});
afterAll(() => system.close());

async function failedReply() {
  const { user, conversationId } = await system.openConversation();
  const { body } = await system.post(user, conversationId, { content: '[[stand-in: error status=400]]' });
  await system.ended(user, body.reply.id);
  return { user, conversationId, replyId: body.reply.id as string, jobId: body.jobId as string };
}

const call = (user: { accessToken: string }, method: string, path: string) =>
  system.app.request(method, path, { token: user.accessToken });

it('does not supersede a reply that is being tried again at the same moment', async () => {
  const { user, replyId, jobId } = await failedReply();
  const { database } = system.app.ctx;
  await eventually(async () => expect((await call(user, 'GET', `/jobs/${jobId}`)).body.state).toBe('failed'));
  let regenerating: Promise<string> | undefined;
  await database.transaction(async (tx) => {
    await retryJob(tx, jobId);
    await requeueReply(tx, replyId, user.user.id);
    regenerating = database
      .transaction((other) => regenerateReply(other, user.user.id, replyId))
      .then(
        () => 'accepted',
        (error: { code: string }) => error.code,
      );
    // It has read the reply as failed, and waits for the row.
    await eventually(async () => {
      const { rows } = await database.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(1);
    });
  });
  expect(await regenerating).toBe('reply_running');
  expect((await call(user, 'GET', `/messages/${replyId}`)).body.supersededBy).toBeNull();
});

it('cancels a reply at once that waits to be tried again behind another one', async () => {
  const { user, conversationId, replyId, jobId } = await failedReply();
  const other = await system.post(user, conversationId, { content: '[[stand-in: tokens=2000 rate=10]]' });
  const otherId = other.body.reply.id as string;
  await eventually(async () => expect((await call(user, 'GET', `/messages/${otherId}`)).body.state).toBe('running'));
  expect((await call(user, 'POST', `/jobs/${jobId}/retry`)).status).toBe(202);
  const socket = await connectRaw(system.app.url, user.accessToken);
  await socket.ask('conversation:join', { conversationId });
  // What is left of the attempt that had failed is no end of this one.
  expect(await socket.ask('reply:resume', { messageId: replyId, attempt: 0, after: 0 })).toMatchObject({
    ok: true,
    message: null,
  });
  const reader = await readEvents(`${system.app.url}/api/v1/messages/${replyId}/stream`, user.accessToken);
  const cancelled = await call(user, 'POST', `/messages/${replyId}/cancel`);
  expect(cancelled.body.state).toBe('cancelled');
  await socket.event('reply:cancelled', ({ messageId }) => messageId === replyId);
  socket.close();
  expect((await reader.rest()).map(({ name }) => name)).toEqual(['started', 'cancelled']);
  expect((await call(user, 'GET', `/jobs/${jobId}`)).body.state).toBe('cancelled');
  expect((await call(user, 'GET', `/messages/${otherId}`)).body.state).toBe('running');
  await call(user, 'POST', `/messages/${otherId}/cancel`);
  await system.ended(user, otherId);
});

it('lets the next reply of a user go at once when the conversation of one that had not begun is deleted', async () => {
  // Without a worker there is no sweep, which would let it go a second later.
  const idle = await startTestSystem({ workers: 0, env: { REPLIES_PER_USER: '1' } });
  const { user, conversationId } = await idle.openConversation();
  const token = user.accessToken;
  const stateOf = async (jobId: string) => (await idle.app.request('GET', `/jobs/${jobId}`, { token })).body.state;
  const first = await idle.post(user, conversationId, { content: 'First' });
  await eventually(async () => expect(await stateOf(first.body.jobId)).toBe('queued'));
  const { body: other } = await idle.app.request('POST', '/conversations', { token, body: { title: 'Other' } });
  const second = await idle.post(user, other.id, { content: 'Second' });
  await idle.app.ctx.dispatcher.settled();
  expect(await stateOf(second.body.jobId)).toBe('pending');
  expect((await idle.app.request('DELETE', `/conversations/${conversationId}`, { token })).status).toBe(204);
  await eventually(async () => expect(await stateOf(second.body.jobId)).toBe('queued'));
  expect(await stateOf(first.body.jobId)).toBe('cancelled');
  await idle.close();
});

it('ends a reply that failed with a message that Postgres cannot store', async () => {
  const { user, conversationId } = await system.openConversation();
  const { body } = await system.post(user, conversationId, { content: 'Be odd' });
  const reply = await system.ended(user, body.reply.id);
  expect(reply.state).toBe('failed');
  expect(reply.error?.message).toContain('\ufffdodd\ufffd');
});

it.each([
  ['done', 'done', true],
  ['failed', 'failed', false],
  ['cancelled', 'cancelled', true],
])('ends the job of a reply that was saved as %s before its worker died as %s', async (saved, expected, cancel) => {
  const idle = await startTestSystem({ workers: 0 });
  const { user, conversationId } = await idle.openConversation();
  const { body } = await idle.post(user, conversationId, { content: 'Hello' });
  const { database } = idle.app.ctx;
  await database.query(
    `UPDATE messages SET state = $2, content = 'Hi', attempt = 1,
       error = CASE WHEN $2 = 'failed' THEN '{"code": "refused", "message": "No."}'::jsonb END WHERE id = $1`,
    [body.reply.id, saved],
  );
  await database.query('UPDATE jobs SET attempt = 1, cancel_requested_at = CASE WHEN $2 THEN now() END WHERE id = $1', [
    body.jobId,
    cancel,
  ]);
  await idle.startWorker();
  const job = async () => (await idle.app.request('GET', `/jobs/${body.jobId}`, { token: user.accessToken })).body;
  await eventually(async () => expect((await job()).state).toBe(expected), { timeout: 10_000 });
  await idle.close();
});
