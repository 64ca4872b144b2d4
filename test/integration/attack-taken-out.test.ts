import { afterAll, beforeEach, expect, it } from 'vitest';
import { deleteMessage } from '../../shared/conversations/edit-message.js';
import { removeMember } from '../../shared/conversations/members.js';
import type { Sql } from '../../shared/database.js';
import type { Answer, TestUser } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { startTestSystem } from '../support/system.js';

const system = await startTestSystem({ workers: 0 });
afterAll(system.close);
const { database } = system.app.ctx;

let owner: TestUser;
let guest: TestUser;
let conversationId: string;
beforeEach(async () => {
  ({ user: owner, conversationId } = await system.openConversation());
  guest = await system.app.registerUser();
  const path = `/conversations/${conversationId}/members/${guest.user.id}`;
  await system.app.request('PUT', path, { token: owner.accessToken, body: { history: 'all' } });
});

const call = (method: string, path: string, body?: object, user = guest) =>
  system.app.request(method, path, { token: user.accessToken, body });
const takeOut = (tx: Sql) => removeMember(tx, { conversationId, byUserId: owner.user.id, userId: guest.user.id });
const ask = async (user = guest) => (await system.post(user, conversationId, { content: 'Why?', reply: true })).body;

/** Asks while a transaction holds what the request waits for. */
async function meanwhile(request: () => Promise<Answer>, hold: (tx: Sql) => Promise<unknown>): Promise<Answer> {
  let asking: Promise<Answer> | undefined;
  await database.transaction(async (tx) => {
    await hold(tx);
    asking = request();
    await eventually(async () => {
      const { rowCount } = await database.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      expect(rowCount).toBe(1);
    });
  });
  return asking as Promise<Answer>;
}

it('stores no message of somebody who is taken out while it waits', async () => {
  const answer = await meanwhile(() => system.post(guest, conversationId, { content: 'Late', reply: true }), takeOut);
  expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  const { body } = await call('GET', `/conversations/${conversationId}`, undefined, owner);
  expect(body.lastSeq).toBe(0);
});

it('accepts a message of somebody who stays while another one is taken out', async () => {
  const answer = await meanwhile(() => system.post(owner, conversationId, { content: 'Alone' }), takeOut);
  expect(answer.status).toBe(202);
  // In a conversation of one person, as it is by then.
  expect(answer.body.reply).not.toBeNull();
});

it('renames nothing for somebody who is taken out while they wait', async () => {
  const rename = () => call('PATCH', `/conversations/${conversationId}`, { title: 'Mine' });
  expect((await meanwhile(rename, takeOut)).status).toBe(404);
  expect((await call('GET', `/conversations/${conversationId}`, undefined, owner)).body.title).toBe('Test');
});

it('generates nothing again for somebody who is taken out while they wait', async () => {
  const { reply } = await ask();
  await call('POST', `/messages/${reply.id}/cancel`);
  expect((await meanwhile(() => call('POST', `/messages/${reply.id}/regenerate`), takeOut)).status).toBe(404);
  expect((await call('GET', `/messages/${reply.id}`, undefined, owner)).body.supersededBy).toBeNull();
});

it('cancels nothing for somebody who is taken out while they wait', async () => {
  const { reply, jobId } = await ask(owner);
  const answer = await meanwhile(
    () => call('POST', `/messages/${reply.id}/cancel`),
    async (tx) => {
      await takeOut(tx);
      await tx.query('SELECT 1 FROM jobs WHERE id = $1 FOR UPDATE', [jobId]);
    },
  );
  expect(answer.status).toBe(404);
  expect((await call('GET', `/messages/${reply.id}`, undefined, owner)).body.state).toBe('queued');
});

it.each([
  ['PATCH', { content: 'Changed' }],
  ['DELETE', undefined],
])('%s of a message changes nothing for somebody who is taken out while they wait', async (method, body) => {
  const { message } = await ask();
  expect((await meanwhile(() => call(method, `/messages/${message.id}`, body), takeOut)).status).toBe(404);
  const left = await call('GET', `/messages/${message.id}`, undefined, owner);
  expect(left.body).toMatchObject({ content: 'Why?', editedAt: null, deletedAt: null });
});

it('answers a change of a message the same when it is being deleted and when it was', async () => {
  const { message } = await ask();
  const change = () => call('PATCH', `/messages/${message.id}`, { content: 'Changed' });
  const where = { id: message.id, userId: guest.user.id };
  const answers = [await meanwhile(change, (tx) => deleteMessage(tx, where)), await change()];
  expect(answers.map(({ status, body }) => [status, body.code, body.detail])).toEqual([
    [409, 'conflict', 'The message was deleted.'],
    [409, 'conflict', 'The message was deleted.'],
  ]);
});
