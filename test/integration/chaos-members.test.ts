import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { addMember } from '../../shared/conversations/members.js';
import type { TestUser } from '../support/app.js';
import { faultsOf, type Heard, hearReplies } from '../support/heard.js';
import { createHeldModel, heldAt, type HeldModel, wholeAnswer } from '../support/held-model.js';
import { startTestSystem, type TestSystem } from '../support/system.js';
import { eventually } from '../support/eventually.js';

vi.setConfig({ testTimeout: 60_000 });

let model: HeldModel;
let system: TestSystem;
let heard: Heard;
beforeAll(async () => {
  model = createHeldModel();
  system = await startTestSystem({ modelApi: model.options });
  heard = await hearReplies(system.redisUrl);
});
afterAll(async () => {
  heard.close();
  await system.close();
});
let owner: TestUser;
let guest: TestUser;
let conversationId: string;
beforeEach(async () => {
  model.hold();
  ({ user: owner, conversationId } = await system.openConversation());
  guest = await system.app.registerUser({ name: 'Grace' });
});
afterEach(async () => {
  model.release();
  await eventually(() => expect(system.modelApi.counts.open).toBe(0));
});

const member = (method: 'PUT' | 'DELETE', body?: { history: 'all' | 'from-now' }) =>
  system.app.request(method, `/conversations/${conversationId}/members/${guest.user.id}`, {
    token: owner.accessToken,
    body,
  });
const add = async (history: 'all' | 'from-now') => expect((await member('PUT', { history })).status).toBe(200);
const read = async (user: TestUser, path: string) => system.app.request('GET', path, { token: user.accessToken });

async function startReply(): Promise<string> {
  const { body } = await system.post(owner, conversationId, { content: 'Hello', reply: true });
  await saidIn(body.reply.id, 1);
  return body.reply.id;
}

const saidIn = (replyId: string, attempt: number) =>
  eventually(() => {
    const deltas = heard.of(replyId).filter((event) => event.event === 'delta' && event.attempt === attempt);
    expect(deltas.map(({ text }) => text).join('')).toBe(heldAt);
  });

/** Posts, waits for the reply, and says what the model was shown: one text of system prompt and turns. */
async function shownFor(user: TestUser, content: string): Promise<string> {
  model.release();
  const { body } = await system.post(user, conversationId, {
    content: `${content} [[stand-in: echo]] an answer`,
    reply: true,
  });
  await system.ended(user, body.reply.id);
  return JSON.stringify(system.modelApi.requests.at(-1)?.body);
}

describe('a reply that runs while somebody is added', () => {
  it.for(['all', 'from-now', 'untold'] as const)('starts again, and is saved once (%s)', async (how) => {
    const replyId = await startReply();
    const calls = system.modelApi.counts.total;
    const history = how === 'untold' ? 'all' : how;
    if (how === 'untold') {
      // As when Redis is away: the worker finds out when it is about to save the reply.
      const input = { conversationId, byUserId: owner.user.id, userId: guest.user.id, history };
      await system.app.ctx.database.transaction((tx) => addMember(tx, input));
    } else {
      await add(history);
      // At once, and not when the attempt before has come to its end.
      await saidIn(replyId, 2);
    }
    model.release();
    const reply = await system.ended(owner, replyId);
    expect(reply).toMatchObject({ state: 'done', content: wholeAnswer, attempt: 2 });
    await eventually(() => expect(faultsOf(heard.of(replyId))).toEqual([]));
    expect(system.modelApi.counts.total).toBe(calls + 1);
    // The reply is done a statement before its job is.
    await eventually(async () => {
      const { rows } = await system.app.ctx.database.query('SELECT failures, state FROM jobs WHERE subject_id = $1', [
        replyId,
      ]);
      expect(rows).toEqual([{ failures: 0, state: 'done' }]);
    });
    expect((await read(guest, `/messages/${replyId}`)).status).toBe(history === 'all' ? 200 : 404);
  });

  it('and is cancelled at the same time ends cancelled, with what it said unless it had started again', async () => {
    const replyId = await startReply();
    await Promise.all([
      add('from-now'),
      system.app.request('POST', `/messages/${replyId}/cancel`, { token: owner.accessToken }),
    ]);
    const { state, content, attempt } = await system.ended(owner, replyId);
    expect(state).toBe('cancelled');
    // Nothing is kept of an attempt that was made for other readers, once the next one has begun.
    expect([heldAt, ...(attempt > 1 ? [''] : [])]).toContain(content);
    await eventually(() => expect(faultsOf(heard.of(replyId))).toEqual([]));
  });

  it('again and again ends when they are all there', async () => {
    const replyId = await startReply();
    for (const attempt of [2, 3, 4]) {
      guest = await system.app.registerUser();
      await add('all');
      await saidIn(replyId, attempt);
    }
    model.release();
    expect(await system.ended(owner, replyId)).toMatchObject({ state: 'done', content: wholeAnswer, attempt: 4 });
  });
});

describe('who reads from now on', () => {
  it('can neither read, list, search, cancel nor regenerate what was before', async () => {
    const replyId = await startReply();
    await add('from-now');
    for (const path of [`/messages/${replyId}`, `/messages/${replyId}/stream`])
      expect((await read(guest, path)).status).toBe(404);
    for (const action of ['cancel', 'regenerate']) {
      const answer = await system.app.request('POST', `/messages/${replyId}/${action}`, { token: guest.accessToken });
      expect(answer.status).toBe(404);
    }
    model.release();
    await system.ended(owner, replyId);
    expect((await read(guest, `/conversations/${conversationId}/messages`)).body.items).toEqual([]);
    expect((await read(guest, '/messages/search?q=Hello')).body.items).toEqual([]);
    expect((await read(owner, '/messages/search?q=Hello')).body.items).toHaveLength(1);
  });

  it('is not told it by the model either: it is shown what every member may read', async () => {
    expect(await shownFor(owner, 'The word is alpha.')).toContain('alpha');
    await add('from-now');
    const shown = await shownFor(guest, 'What was the word?');
    expect(shown).not.toContain('alpha');
    expect(shown).toContain('What was the word?');
    expect(await shownFor(owner, 'And the other word is beta.')).not.toContain('alpha');
    const both = await shownFor(guest, 'Say them both.');
    expect(both).toContain('beta');
    expect(both).not.toContain('alpha');
    expect(both).toContain('Grace: What was the word?');
  });

  it('keeps nothing from the model once they have left, or may read everything', async () => {
    await shownFor(owner, 'The word is alpha.');
    await add('from-now');
    expect(await shownFor(owner, 'One.')).not.toContain('alpha');
    expect((await member('DELETE')).status).toBe(204);
    expect(await shownFor(owner, 'Two.')).toContain('alpha');
    await add('from-now');
    expect(await shownFor(owner, 'Three.')).not.toContain('alpha');
    await add('all');
    expect(await shownFor(owner, 'Four.')).toContain('alpha');
  });

  it('stands in the way of another reply to what they may not read', async () => {
    const { body } = await system.post(owner, conversationId, { content: '[[stand-in: echo]] secret' });
    await system.ended(owner, body.reply.id);
    await add('from-now');
    const again = await system.app.request('POST', `/messages/${body.reply.id}/regenerate`, {
      token: owner.accessToken,
    });
    expect([again.status, again.body.code]).toEqual([409, 'conflict']);
  });
});

it('who was taken out reads and writes nothing more, though their reply goes on', async () => {
  await add('all');
  const { body } = await system.post(guest, conversationId, { content: 'Hello', reply: true });
  await saidIn(body.reply.id, 1);
  expect((await member('DELETE')).status).toBe(204);
  for (const path of [
    `/messages/${body.reply.id}`,
    `/conversations/${conversationId}`,
    `/conversations/${conversationId}/messages`,
  ]) {
    expect((await read(guest, path)).status).toBe(404);
  }
  expect((await system.post(guest, conversationId, { content: 'Still here?' })).status).toBe(404);
  model.release();
  expect(await system.ended(owner, body.reply.id)).toMatchObject({ state: 'done', content: wholeAnswer, attempt: 1 });
});
