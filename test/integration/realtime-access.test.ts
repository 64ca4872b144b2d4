import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { type TestApp, type TestUser, startTestApp } from '../support/app.js';
import { scriptReply } from '../support/replies.js';
import { connectRaw, type RawSocket } from '../support/sockets.js';
import { ownRedis } from '../support/stack.js';

let redis: Awaited<ReturnType<typeof ownRedis>>;
let apps: [TestApp, TestApp];
let owner: TestUser;
const sockets: RawSocket[] = [];

beforeAll(async () => {
  redis = await ownRedis();
  const one = await startTestApp({ redisUrl: redis.url });
  const two = await startTestApp({ redisUrl: redis.url, databaseUrl: one.ctx.config.database.url });
  apps = [one, two];
  owner = await one.registerUser({ name: 'Owner' });
});
afterEach(() => sockets.splice(0).forEach((socket) => socket.close()));
afterAll(async () => {
  await apps[1].close();
  await apps[0].close();
  await redis.remove();
});

const call = (method: string, path: string, body?: object) =>
  apps[0].request(method, path, { token: owner.accessToken, body });

/** A conversation with one more member, and sockets of the owner and of that member, on different processes. */
async function shared(history: 'all' | 'from-now' = 'all') {
  const { body } = await call('POST', '/conversations', { title: 'T' });
  const conversationId: string = body.id;
  const room = `conversation:${conversationId}`;
  const post = (content: string, reply = false) =>
    call('POST', `/conversations/${conversationId}/messages`, { content, reply });
  await post('before');
  const guest = await apps[0].registerUser({ name: 'Guest' });
  const memberPath = `/conversations/${conversationId}/members/${guest.user.id}`;
  await call('PUT', memberPath, { history });
  const [ownerSocket, guestSocket] = await Promise.all([
    connectRaw(apps[0].url, owner.accessToken),
    connectRaw(apps[1].url, guest.accessToken),
  ]);
  sockets.push(ownerSocket, guestSocket);
  await ownerSocket.ask('conversation:join', { conversationId });
  await guestSocket.ask('conversation:join', { conversationId });
  return { conversationId, room, guest, memberPath, post, ownerSocket, guestSocket };
}

const contents = (socket: RawSocket): unknown[] =>
  socket.received
    .filter(({ event }) => event.startsWith('message:'))
    .map(({ payload }) => (payload as { message: { content: string } }).message.content);

describe('a revoked access', () => {
  it('closes the room in another process, and nothing more is heard', async () => {
    const { room, conversationId, memberPath, post, ownerSocket, guestSocket } = await shared();
    await post('hello');
    await guestSocket.event('message:created', ({ message }) => message.content === 'hello');
    await call('DELETE', memberPath);
    expect(await guestSocket.event('access:revoked')).toEqual({ room });
    await post('secret');
    await ownerSocket.event('message:created', ({ message }) => message.content === 'secret');
    expect(await guestSocket.ask('conversation:join', { conversationId })).toMatchObject({
      error: { type: 'not_found' },
    });
    expect(contents(guestSocket)).toEqual(['hello']);
  });

  it('closes the room also when the order to do so got lost', async () => {
    const { room, conversationId, guest, guestSocket } = await shared();
    await apps[0].ctx.database.query('DELETE FROM conversation_members WHERE conversation_id = $1 AND user_id = $2', [
      conversationId,
      guest.user.id,
    ]);
    expect(await guestSocket.event('access:revoked')).toEqual({ room });
  });

  it('closes the room also when it came while Redis was away, and who stays is told to look again', async () => {
    const { room, memberPath, post, ownerSocket, guestSocket } = await shared();
    await redis.stop();
    expect((await call('DELETE', memberPath)).status).toBe(204);
    expect(await guestSocket.event('access:revoked')).toEqual({ room });
    await redis.start();
    expect(await ownerSocket.event('room:resync', (payload) => payload.room === room)).toBeDefined();
    // What is sent before the connection for sending is back is made good by another resync.
    await eventually(() => expect(apps[0].ctx.redis.status).toBe('ready'));
    await post('after');
    await ownerSocket.event('message:created', ({ message }) => message.content === 'after');
    expect(contents(guestSocket)).toEqual([]);
  });

  it('closes the room also while Redis hangs, and who stays hears of it when Redis goes on', async () => {
    const { room, guest, memberPath, ownerSocket, guestSocket } = await shared();
    process.kill(redis.pid, 'SIGSTOP');
    try {
      expect((await call('DELETE', memberPath)).status).toBe(204);
      expect(await guestSocket.event('access:revoked')).toEqual({ room });
      expect(ownerSocket.received.map(({ event }) => event)).not.toContain('member:removed');
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
    expect(await ownerSocket.event('member:removed')).toMatchObject({ userId: guest.user.id });
  });

  it('closes all rooms of a conversation that is deleted', async () => {
    const { room, conversationId, ownerSocket, guestSocket } = await shared();
    await call('DELETE', `/conversations/${conversationId}`);
    for (const socket of [ownerSocket, guestSocket]) expect(await socket.event('access:revoked')).toEqual({ room });
  });

  it('ends the resuming of a reply', async () => {
    const { conversationId, memberPath, guestSocket } = await shared();
    const reply = await scriptReply(apps[0].ctx, conversationId);
    const writer = await reply.attempt(1);
    writer.push('secret');
    await writer.drain();
    const resume = () => guestSocket.ask('reply:resume', { messageId: reply.messageId, attempt: 0, after: 0 });
    expect(await resume()).toMatchObject({ ok: true, text: 'secret', attempt: 1, toSeq: 1, reset: true, more: false });
    await call('DELETE', memberPath);
    expect(await resume()).toMatchObject({ error: { type: 'not_found' } });
    await reply.end(writer, 1, 'secret');
  });
});

describe('who reads from now on', () => {
  it('hears nothing about older messages, and all about newer ones', async () => {
    const { conversationId, memberPath, post, ownerSocket, guestSocket } = await shared('from-now');
    const { rows } = await apps[0].ctx.database.query<{ id: string }>(
      `SELECT id FROM messages WHERE conversation_id = $1 AND content = 'before'`,
      [conversationId],
    );
    await call('PATCH', `/messages/${rows[0]?.id}`, { content: 'before, edited' });
    await ownerSocket.event('message:updated');
    await post('after');
    await guestSocket.event('message:created', ({ message }) => message.content === 'after');
    expect(contents(guestSocket)).toEqual(['after']);
    // Joining again opens no gap through which older ones come.
    for (let round = 0; round < 5; round += 1) {
      const [joined] = await Promise.all([
        guestSocket.ask('conversation:join', { conversationId }),
        call('PATCH', `/messages/${rows[0]?.id}`, { content: `before, edited ${round}` }),
      ]);
      expect(joined.ok).toBe(true);
    }
    await ownerSocket.event('message:updated', ({ message }) => message.content === 'before, edited 4');
    expect(contents(guestSocket)).toEqual(['after']);
    await call('PUT', memberPath, { history: 'all' });
    await guestSocket.event('member:added');
    await call('PATCH', `/messages/${rows[0]?.id}`, { content: 'for all' });
    await guestSocket.event('message:updated', ({ message }) => message.content === 'for all');
  });

  it('hears nothing of a reply that ran before, and cannot resume it', async () => {
    const { body } = await call('POST', '/conversations', { title: 'T' });
    const reply = await scriptReply(apps[0].ctx, body.id);
    const writer = await reply.attempt(1);
    writer.push('secret');
    await writer.drain();
    const guest = await apps[0].registerUser();
    await call('PUT', `/conversations/${body.id}/members/${guest.user.id}`, { history: 'from-now' });
    const socket = await connectRaw(apps[1].url, guest.accessToken);
    sockets.push(socket);
    expect(await socket.ask('conversation:join', { conversationId: body.id })).toMatchObject({
      ok: true,
      activeReplies: [],
    });
    const position = { messageId: reply.messageId, attempt: 0, after: 0 };
    expect(await socket.ask('reply:resume', position)).toMatchObject({ error: { type: 'not_found' } });
    writer.push('more');
    await reply.end(writer, 1, 'secretmore');
    await call('POST', `/conversations/${body.id}/messages`, { content: 'after', reply: false });
    await socket.event('message:created', ({ message }) => message.content === 'after');
    expect(socket.received.filter(({ event }) => event.startsWith('reply:'))).toEqual([]);
  });
});

describe('typing', () => {
  it('is shown to the others, not more often than needed, and ends by itself', async () => {
    const { conversationId, ownerSocket, guestSocket, guest } = await shared();
    const shown = () => ownerSocket.received.filter(({ event }) => event === 'typing');
    for (let key = 0; key < 10; key += 1) await guestSocket.ask('typing', { conversationId, typing: true });
    expect(await ownerSocket.event('typing')).toEqual({
      conversationId,
      userId: guest.user.id,
      name: 'Guest',
      typing: true,
    });
    expect(shown()).toHaveLength(1);
    guestSocket.close();
    await ownerSocket.event('typing', ({ typing }) => !typing);
    expect(shown()).toHaveLength(2);
  });

  it('ends when nothing more is typed', async () => {
    const { conversationId, ownerSocket, guestSocket } = await shared();
    await guestSocket.ask('typing', { conversationId, typing: true });
    await ownerSocket.event('typing', ({ typing }) => !typing);
  });

  it('is for those who have joined', async () => {
    const { conversationId, guest } = await shared();
    const socket = await connectRaw(apps[0].url, guest.accessToken);
    sockets.push(socket);
    expect(await socket.ask('typing', { conversationId, typing: true })).toMatchObject({
      error: { type: 'not_found' },
    });
  });
});
