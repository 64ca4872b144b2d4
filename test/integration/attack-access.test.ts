import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';

let app: TestApp;
let owner: TestUser;
let guest: TestUser;
beforeAll(async () => {
  app = await startTestApp();
  owner = await app.registerUser({ name: 'Olga' });
  guest = await app.registerUser({ name: 'Theo' });
});
afterAll(() => app.close());

const as = (user: TestUser, method: string, path: string, body?: unknown) =>
  app.request(method, path, { token: user.accessToken, body });

/** A conversation with both, in which the second one has asked for a reply. */
async function share() {
  const { body: conversation } = await as(owner, 'POST', '/conversations', { title: 'Shared' });
  const member = `/conversations/${conversation.id}/members/${guest.user.id}`;
  await as(owner, 'PUT', member, { history: 'all' });
  const asked = { content: '@claude tell me', clientId: 'asked' };
  const { body: posted } = await as(guest, 'POST', `/conversations/${conversation.id}/messages`, asked);
  return { conversationId: conversation.id as string, member, asked, posted };
}

async function fail(jobId: string, messageId: string): Promise<void> {
  await app.ctx.database.query(`UPDATE jobs SET state = 'failed', attempt = 1, finished_at = now() WHERE id = $1`, [
    jobId,
  ]);
  await app.ctx.database.query(
    `UPDATE messages SET state = 'failed', attempt = 1, completed_at = now() WHERE id = $1`,
    [messageId],
  );
}

it('does not try a reply again for somebody who was taken out of the conversation', async () => {
  const { member, posted } = await share();
  await fail(posted.jobId, posted.reply.id);
  await as(owner, 'DELETE', member);
  const retried = await as(guest, 'POST', `/jobs/${posted.jobId}/retry`);
  expect(retried.status).toBe(404);
  expect((await as(guest, 'GET', `/jobs/${posted.jobId}`)).body.state).toBe('failed');
  expect((await as(owner, 'GET', `/messages/${posted.reply.id}`)).body.state).toBe('failed');
});

it('shows nothing from before to somebody who was added again and sends an old message again', async () => {
  const { conversationId, member, asked } = await share();
  await as(owner, 'DELETE', member);
  await as(owner, 'POST', `/conversations/${conversationId}/messages`, { content: 'Without him', reply: false });
  await as(owner, 'PUT', member, { history: 'from-now' });
  const again = await as(guest, 'POST', `/conversations/${conversationId}/messages`, asked);
  expect([again.status, again.body.code]).toEqual([409, 'conflict']);
  expect(JSON.stringify(again.body)).not.toContain(asked.content);
});

it('gives a member the whole history also when the conversation is full', async () => {
  const { conversationId, member } = await share();
  await as(owner, 'DELETE', member);
  await as(owner, 'PUT', member, { history: 'from-now' });
  await app.ctx.database.query(
    `WITH person AS (
       INSERT INTO users (id, email, name, password_hash, role)
       SELECT gen_random_uuid(), gen_random_uuid() || '@example.com', 'Extra', '', 'regular' FROM generate_series(1, 98)
       RETURNING id
     ) INSERT INTO conversation_members (conversation_id, user_id) SELECT $1, id FROM person`,
    [conversationId],
  );
  expect((await as(owner, 'PUT', member, { history: 'all' })).status).toBe(200);
  const another = await app.registerUser();
  const full = await as(owner, 'PUT', `/conversations/${conversationId}/members/${another.user.id}`, {
    history: 'all',
  });
  expect(full.body.code).toBe('conflict');
});

it('tries a reply again that has failed a moment before its job', async () => {
  const { posted } = await share();
  await fail(posted.jobId, posted.reply.id);
  await app.ctx.database.query(`UPDATE jobs SET state = 'running', lease_until = now() WHERE id = $1`, [posted.jobId]);
  const retrying = as(guest, 'POST', `/jobs/${posted.jobId}/retry`);
  await as(guest, 'GET', '/auth/me');
  await app.ctx.database.query(`UPDATE jobs SET state = 'failed' WHERE id = $1`, [posted.jobId]);
  expect((await retrying).status).toBe(202);
});

it('lets an admin cancel the reply of somebody who was taken out', async () => {
  const admin = await app.registerUser({ role: 'admin' });
  const { member, posted } = await share();
  await as(owner, 'DELETE', member);
  const cancelled = await as(admin, 'POST', `/jobs/${posted.jobId}/cancel`);
  expect([cancelled.status, cancelled.body.state]).toEqual([202, 'cancelled']);
});
