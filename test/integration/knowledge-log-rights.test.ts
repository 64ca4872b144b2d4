import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEnding } from '../../shared/realtime/reply-reader.js';
import type { TestUser } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { createHeldModel, heldAt } from '../support/held-model.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

const model = createHeldModel();
let system: KnowledgeSystem;
let admin: TestUser;
let power: TestUser;

beforeAll(async () => {
  system = await startKnowledgeSystem({ workers: 0, modelApi: model.options });
  admin = await system.app.registerUser({ role: 'admin' });
  power = await system.app.registerUser({ role: 'power' });
});
afterAll(async () => {
  model.release();
  await system.close();
});

/** A reply among two that has said something made from an approved entry, when its only worker is gone. */
async function startReply(): Promise<{ replyId: string; entryId: string; conversationId: string }> {
  const regular = await system.app.registerUser({ role: 'regular' });
  const worker = await system.startWorker();
  const { id: entryId } = await system.write(power, { content: 'The okapi vault opens with the seventh brass key.' });
  await system.settled(power, entryId);
  await system.post(admin, `/knowledge/${entryId}/approve`);
  await system.idle();
  const { body } = await system.post(power, '/conversations', { title: 'Talk' });
  await addMember(body.id, regular);
  const question = { content: 'How does the okapi vault open?', reply: true };
  const posted = await system.post(power, `/conversations/${body.id}/messages`, question);
  const replyId = posted.body.reply.id as string;
  await eventually(async () => expect((await readEnding(system.app.ctx.redis, replyId))?.text).toBe(heldAt));
  expect(JSON.stringify(system.modelApi.requests.at(-1)?.body)).toContain('seventh brass key');
  await worker.stop();
  return { replyId, entryId, conversationId: body.id };
}

const addMember = (conversationId: string, { user }: TestUser) =>
  system.app.request('PUT', `/conversations/${conversationId}/members/${user.id}`, {
    token: power.accessToken,
    body: { history: 'all' },
  });

/** Cancels it, and lets another worker end it with what the log holds. */
async function endOf(replyId: string) {
  await system.post(power, `/messages/${replyId}/cancel`);
  const worker = await system.startWorker();
  const reply = await system.ended(power, replyId);
  await system.idle();
  await worker.stop();
  return reply;
}

describe('a reply that ends with what its log holds', () => {
  it('keeps it while every member may read what it was made from', async () => {
    const { replyId } = await startReply();
    expect(await endOf(replyId)).toMatchObject({ state: 'cancelled', content: heldAt, attempt: 1 });
  });

  it('keeps nothing that was made from a passage that was taken back', async () => {
    const { replyId, entryId } = await startReply();
    await system.post(admin, `/knowledge/${entryId}/reject`, { reason: 'Wrong' });
    const reply = await endOf(replyId);
    expect(reply).toMatchObject({ state: 'cancelled', content: '' });
    // Under a newer number: readers drop what they have heard.
    expect(reply.attempt).toBeGreaterThan(1);
    expect(await readEnding(system.app.ctx.redis, replyId)).toMatchObject({ text: '', end: 'cancelled' });
  });

  it('keeps nothing that was made from a passage that a new member may not read', async () => {
    const { replyId, conversationId } = await startReply();
    await addMember(conversationId, await system.app.registerUser({ role: 'guest' }));
    expect(await endOf(replyId)).toMatchObject({ state: 'cancelled', content: '' });
  });
});
