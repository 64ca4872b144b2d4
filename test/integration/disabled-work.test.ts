import { afterAll, expect, it } from 'vitest';
import { postMessage } from '../../shared/conversations/post-message.js';
import type { TestUser } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { hearReplies } from '../support/heard.js';
import { createHeldModel, heldAt } from '../support/held-model.js';
import { startTestSystem } from '../support/system.js';

const model = createHeldModel();
const system = await startTestSystem({ modelApi: model.options });
const heard = await hearReplies(system.redisUrl);
const { app } = system;
const admin = await app.registerUser({ role: 'admin' });
afterAll(async () => {
  model.release();
  heard.close();
  await system.close();
});

const setDisabled = (user: TestUser, disabled: boolean) =>
  app.request('PATCH', `/users/${user.user.id}`, { token: admin.accessToken, body: { disabled } });

const read = async (reader: TestUser, messageId: string) =>
  (await app.request('GET', `/messages/${messageId}`, { token: reader.accessToken })).body;

/** A conversation of somebody who is about to be disabled, with a reader who stays. */
async function openShared() {
  const { user, conversationId } = await system.openConversation();
  const reader = await app.registerUser();
  const members = `/conversations/${conversationId}/members/${reader.user.id}`;
  await app.request('PUT', members, { token: user.accessToken, body: { history: 'all' } });
  const ask = async (content: string, by = user) =>
    (await system.post(by, conversationId, { content, reply: true })).body.reply.id as string;
  return { user, reader, conversationId, ask };
}

const untilSaid = (messageId: string) =>
  eventually(() => {
    const deltas = heard.of(messageId).filter(({ event }) => event === 'delta');
    expect(deltas.map(({ text }) => text).join('')).toBe(heldAt);
  });

it('ends what a disabled account has asked of Claude, also after it is enabled again', async () => {
  const { user, reader, ask } = await openShared();
  const running = await ask('Go on and on.');
  await untilSaid(running);
  const behind = await ask('And then?');
  const ofReader = await ask('[[stand-in: echo]] And I?', reader);

  expect((await setDisabled(user, true)).status).toBe(200);
  expect(await read(reader, behind)).toMatchObject({
    state: 'cancelled',
    content: '',
    error: { code: 'account_disabled', message: expect.stringContaining('disabled') },
  });
  expect(await system.ended(reader, running)).toMatchObject({
    state: 'cancelled',
    content: heldAt,
    error: { code: 'account_disabled' },
  });
  // Who is still there gets their reply, which had waited behind them.
  expect((await system.ended(reader, ofReader)).state).toBe('done');

  expect((await setDisabled(user, false)).status).toBe(200);
  const { rows } = await app.ctx.database.query('SELECT DISTINCT state FROM jobs WHERE user_id = $1', [user.user.id]);
  expect(rows).toEqual([{ state: 'cancelled' }]);
  expect((await read(reader, behind)).state).toBe('cancelled');
});

it('stops also what nobody could be told to stop, and what is accepted a moment later', async () => {
  const { user, reader, conversationId, ask } = await openShared();
  const running = await ask('Go on and on.');
  await untilSaid(running);
  await app.ctx.database.query('UPDATE users SET disabled_at = now() WHERE id = $1', [user.user.id]);
  expect(await system.ended(reader, running)).toMatchObject({ state: 'cancelled', content: heldAt });

  const asked = system.modelApi.counts.total;
  const message = { conversationId, authorId: user.user.id, content: 'And now?', reply: true };
  const late = await postMessage(app.ctx.database, message);
  expect(await system.ended(reader, late.reply?.id ?? '')).toMatchObject({
    state: 'cancelled',
    content: '',
    error: { code: 'account_disabled' },
  });
  expect(system.modelApi.counts.total).toBe(asked);
});

it('tries nothing again for a disabled account, and says so', async () => {
  const { user, reader, conversationId } = await openShared();
  const body = { content: '[[stand-in: error times=1 id=again]]', reply: true };
  const { reply, jobId } = (await system.post(user, conversationId, body)).body;
  expect((await system.ended(reader, reply.id)).state).toBe('failed');
  const retry = () => app.request('POST', `/jobs/${jobId}/retry`, { token: admin.accessToken });
  await setDisabled(user, true);
  const answer = await retry();
  expect([answer.status, answer.body.code, answer.body.detail]).toEqual([
    409,
    'conflict',
    expect.stringContaining('disabled'),
  ]);
  expect(await read(reader, reply.id)).toMatchObject({ state: 'failed' });
  await setDisabled(user, false);
  expect((await retry()).status).toBe(202);
  expect((await system.ended(reader, reply.id)).state).toBe('done');
});
