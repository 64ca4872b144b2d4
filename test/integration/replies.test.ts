import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startTestSystem, type TestSystem } from '../support/system.js';

let system: TestSystem;
beforeAll(async () => {
  system = await startTestSystem();
});
afterAll(() => system.close());

describe('a message and its reply', () => {
  it('is answered 202 with both, and the reply is written by the worker', async () => {
    const { user, conversationId } = await system.openConversation();
    const posted = await system.post(user, conversationId, { content: 'Hello [[stand-in: echo]] one two three' });
    expect(posted.status).toBe(202);
    expect(posted.body.message).toMatchObject({ seq: 1, role: 'user', state: 'done' });
    expect(posted.body.reply).toMatchObject({
      seq: 2,
      role: 'assistant',
      state: 'queued',
      replyTo: posted.body.message.id,
    });
    const reply = await system.ended(user, posted.body.reply.id);
    expect(reply).toMatchObject({
      state: 'done',
      content: 'one two three',
      attempt: 1,
      metadata: { stopReason: 'end_turn' },
    });
  });

  it('that was saved before its workers were lost one after the other is done, and so is its job', async () => {
    const { user, conversationId } = await system.openConversation();
    const posted = await system.post(user, conversationId, { content: '[[stand-in: echo]] said' });
    const job = async () =>
      (await system.app.request('GET', `/jobs/${posted.body.jobId}`, { token: user.accessToken })).body;
    await eventually(async () => expect(await job()).toMatchObject({ state: 'done', attempt: 1 }));
    await system.app.ctx.database.query(
      `UPDATE jobs SET state = 'pending', failures = 100, run_at = now(), finished_at = NULL WHERE id = $1`,
      [posted.body.jobId],
    );
    await eventually(async () => expect(await job()).toMatchObject({ attempt: 2, error: null, state: 'done' }));
    expect(await system.ended(user, posted.body.reply.id)).toMatchObject({
      state: 'done',
      content: 'said',
      attempt: 1,
    });
  });
});
