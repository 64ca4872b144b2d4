import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
});
