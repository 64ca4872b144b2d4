import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { replyLogKey } from '../../shared/realtime/reply-log.js';
import { eventually } from '../support/eventually.js';
import { type TestApp, type TestUser, startTestApp } from '../support/app.js';
import { type EventReader, readEvents } from '../support/event-source.js';
import { type ScriptedReply, scriptReply } from '../support/replies.js';

let app: TestApp;
let owner: TestUser;
let conversationId: string;
beforeAll(async () => {
  app = await startTestApp();
  owner = await app.registerUser();
  const { body } = await app.request('POST', '/conversations', { token: owner.accessToken, body: { title: 'T' } });
  conversationId = body.id;
});
afterAll(() => app.close());

const open = (reply: ScriptedReply, lastEventId?: string, user = owner): Promise<EventReader> =>
  readEvents(`${app.url}/api/v1/messages/${reply.messageId}/stream`, user.accessToken, lastEventId);

/** The text that a client of the events ends up with. */
function assemble(events: { name: string; data: unknown }[]): string {
  let text = '';
  for (const { name, data } of events) {
    if (name === 'started') text = '';
    if (name === 'delta') text += (data as { text: string }).text;
  }
  return text;
}

it('brings a reply from its beginning to its end, with ids', async () => {
  const reply = await scriptReply(app.ctx, conversationId);
  const reader = await open(reply);
  expect(reader.status).toBe(200);
  expect(reader.headers.get('content-type')).toContain('text/event-stream');
  const writer = await reply.attempt(1);
  for (const word of ['Eins ', 'zwei ', '🐎.']) {
    writer.push(word);
    await writer.drain();
  }
  await reply.end(writer, 1, 'Eins zwei 🐎.');
  const events = await reader.rest();
  expect(events.map(({ id, name }) => `${id} ${name}`)).toEqual([
    '1-0 started',
    '1-1 delta',
    '1-2 delta',
    '1-3 delta',
    '1-4 done',
  ]);
  expect(assemble(events)).toBe('Eins zwei 🐎.');
  expect(events.at(-1)?.data).toMatchObject({ message: { content: 'Eins zwei 🐎.', state: 'done' } });
});

it('goes on after Last-Event-ID, without a repetition', async () => {
  const reply = await scriptReply(app.ctx, conversationId);
  const writer = await reply.attempt(1);
  for (const word of ['a', 'b', 'c']) {
    writer.push(word);
    await writer.drain();
  }
  const reader = await open(reply, '1-2');
  expect(await reader.next()).toMatchObject({ id: '1-3', name: 'delta', data: { attempt: 1, seq: 3, text: 'c' } });
  writer.push('d');
  await reply.end(writer, 1, 'abcd');
  expect((await reader.rest()).map(({ id }) => id)).toEqual(['1-4', '1-5']);
});

it('starts again when another attempt took over, also for who was away', async () => {
  const reply = await scriptReply(app.ctx, conversationId);
  const first = await reply.attempt(1);
  first.push('old');
  await first.drain();
  const reader = await open(reply);
  expect(await reader.next()).toMatchObject({ id: '1-0', name: 'started' });
  expect(await reader.next()).toMatchObject({ id: '1-1', name: 'delta' });
  await first.stop();
  const second = await reply.attempt(2);
  second.push('new');
  await second.drain();
  const late = await open(reply, '1-1');
  for (const events of [reader, late]) {
    expect(await events.next()).toMatchObject({ id: '2-0', name: 'started' });
    expect(await events.next()).toMatchObject({ id: '2-1', name: 'delta', data: { text: 'new' } });
  }
  await reply.end(second, 2, 'new');
  for (const events of [reader, late]) expect(await events.rest()).toMatchObject([{ id: '2-2', name: 'done' }]);
});

it('answers a reply that has ended at once, and 204 to who has its end', async () => {
  const reply = await scriptReply(app.ctx, conversationId);
  const writer = await reply.attempt(1);
  writer.push('all');
  await reply.end(writer, 1, 'all');
  const events = await (await open(reply)).rest();
  expect(events).toMatchObject([{ id: '1-2', name: 'done', data: { message: { content: 'all' } } }]);
  expect((await open(reply, '1-2')).status).toBe(204);
  await app.ctx.redis.del(replyLogKey(reply.messageId));
  const [end] = await (await open(reply, '1-1')).rest();
  expect(end).toMatchObject({ name: 'done', data: { message: { content: 'all' } } });
  expect((await open(reply, end?.id)).status).toBe(204);
});

it('ends when the right to read is lost, and says nothing to strangers', async () => {
  const guest = await app.registerUser();
  const reply = await scriptReply(app.ctx, conversationId);
  expect((await open(reply, undefined, guest)).status).toBe(404);
  const memberPath = `/conversations/${conversationId}/members/${guest.user.id}`;
  const token = owner.accessToken;
  await app.request('PUT', memberPath, { token, body: { history: 'all' } });
  const reader = await open(reply, undefined, guest);
  const writer = await reply.attempt(1);
  writer.push('secret');
  expect(await reader.next()).toMatchObject({ name: 'started' });
  expect(await reader.next()).toMatchObject({ name: 'delta' });
  await app.request('DELETE', memberPath, { token });
  expect(await reader.next()).toBeNull();
  await reply.end(writer, 1, 'secret');
});

it('ends with its token', async () => {
  const reply = await scriptReply(app.ctx, conversationId);
  const user = await app.registerUser();
  await app.request('PUT', `/conversations/${conversationId}/members/${user.user.id}`, {
    token: owner.accessToken,
    body: { history: 'all' },
  });
  const reader = await open(reply, undefined, user);
  await app.request('POST', '/auth/logout', { token: user.accessToken, body: { refreshToken: user.refreshToken } });
  expect(await reader.rest()).toEqual([]);
});

it('refuses what is not a reply, or not an id', async () => {
  const { body } = await app.request('POST', `/conversations/${conversationId}/messages`, {
    token: owner.accessToken,
    body: { content: 'x', reply: false },
  });
  for (const id of [body.message.id, randomUUID()]) {
    const url = `${app.url}/api/v1/messages/${id}/stream`;
    expect((await readEvents(url, owner.accessToken)).status).toBe(404);
  }
  const reply = await scriptReply(app.ctx, conversationId);
  for (const id of ['x', '1', '-1-2', '1-2-3', '99999999999-1']) expect((await open(reply, id)).status).toBe(400);
});

it('leaves no reader behind when the client goes', async () => {
  const reply = await scriptReply(app.ctx, conversationId);
  const reader = await open(reply);
  expect(app.ctx.realtime.streams.size).toBeGreaterThan(0);
  reader.abort();
  await eventually(() => expect(app.ctx.realtime.streams.size).toBe(0));
  expect(app.ctx.realtime.rooms.readers()).toEqual([]);
});

it('answers 429 to a user who has too many open, in a problem document, and not to others', async () => {
  const reply = await scriptReply(app.ctx, conversationId);
  const path = `/messages/${reply.messageId}/stream`;
  const forget = Array.from({ length: 200 }, () => app.ctx.realtime.streams.add(owner.user.id, () => {}));
  const refused = await app.request('GET', path, { token: owner.accessToken });
  expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([429, 'rate_limited', '5']);
  forget.forEach((one) => one());
  const reader = await open(reply);
  expect(reader.status).toBe(200);
  reader.abort();
});
