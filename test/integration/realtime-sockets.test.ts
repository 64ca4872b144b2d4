import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ClientEvent } from '../../shared/realtime/events.js';
import { type TestApp, type TestUser, startTestApp } from '../support/app.js';
import { scriptReply } from '../support/replies.js';
import { connectRaw, type RawSocket } from '../support/sockets.js';

let app: TestApp;
let owner: TestUser;
let conversationId: string;
const sockets: RawSocket[] = [];
const connect = async (token = owner.accessToken, options = {}): Promise<RawSocket> => {
  const socket = await connectRaw(app.url, token, options);
  sockets.push(socket);
  return socket;
};
const newConversation = async (user = owner): Promise<string> =>
  (await app.request('POST', '/conversations', { token: user.accessToken, body: { title: 'T' } })).body.id;

beforeAll(async () => {
  app = await startTestApp({ env: { CORS_ORIGINS: 'https://app.example' } });
  owner = await app.registerUser();
  conversationId = await newConversation();
});
afterEach(() => sockets.splice(0).forEach((socket) => socket.close()));
afterAll(() => app.close());

describe('who may connect', () => {
  it('is who has an access token or an API key', async () => {
    const { body } = await app.request('POST', '/auth/api-keys', { token: owner.accessToken, body: { name: 'key' } });
    for (const token of [owner.accessToken, body.key]) {
      const socket = await connect(token);
      expect(await socket.event('session')).toMatchObject({ userId: owner.user.id });
    }
  });

  it('is nobody with a forged, foreign, missing or odd token', async () => {
    const forged = await new SignJWT({ sid: randomUUID() })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(owner.user.id)
      .setIssuer('millrace')
      .setAudience('millrace')
      .setExpirationTime('1h')
      .sign(Buffer.from('another secret of more than 32 characters'));
    const unsigned = `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ sub: owner.user.id }))}.`;
    const odd = [{}, { token: '' }, { token: 7 }, { token: null }, { token: ['x'] }, { token: 'x'.repeat(9_000) }];
    for (const auth of [{ token: forged }, { token: unsigned }, { token: 'mr_0_0' }, ...odd]) {
      const refusal = connect('', { auth });
      await expect(refusal).rejects.toMatchObject({ data: { type: 'unauthenticated' } });
    }
  });

  it('loses the connection at once when the session ends', async () => {
    const user = await app.registerUser();
    const socket = await connect(user.accessToken);
    const began = performance.now();
    await app.request('POST', '/auth/logout', { token: user.accessToken, body: { refreshToken: user.refreshToken } });
    expect(await socket.event('error')).toMatchObject({ type: 'unauthenticated' });
    expect(await socket.disconnected()).toBe('io server disconnect');
    // By the order to do so, and not with the next look at all connections, every 3 s.
    expect(performance.now() - began).toBeLessThan(2_500);
  });

  it('loses it within seconds when the order to end it got lost', async () => {
    const user = await app.registerUser();
    const socket = await connect(user.accessToken);
    await app.ctx.database.query('UPDATE sessions SET revoked_at = now() WHERE user_id = $1', [user.user.id]);
    expect(await socket.event('error')).toMatchObject({ type: 'unauthenticated' });
    await socket.disconnected();
  });

  it('loses it when the token expires, unless it was renewed', async () => {
    const user = await app.registerUser();
    const { rows } = await app.ctx.database.query<{ id: string }>('SELECT id FROM sessions WHERE user_id = $1', [
      user.user.id,
    ]);
    const sign = (seconds: number): Promise<string> =>
      new SignJWT({ sid: rows[0]?.id })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setSubject(user.user.id)
        .setIssuer('millrace')
        .setAudience('millrace')
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
        .sign(Buffer.from('a secret of more than 32 characters, for tests'));
    const [expiring, renewed] = [await connect(await sign(2)), await connect(await sign(2))];
    expect(await renewed.ask('authenticate', { token: user.accessToken })).toMatchObject({ ok: true });
    expect(await expiring.event('error')).toMatchObject({ type: 'token_expired' });
    await expiring.disconnected();
    expect(await renewed.ask('conversation:leave', { conversationId })).toEqual({ ok: true });
  });

  it('cannot become somebody else', async () => {
    const other = await app.registerUser();
    const socket = await connect();
    expect(await socket.ask('authenticate', { token: other.accessToken })).toMatchObject({
      error: { type: 'forbidden' },
    });
    expect(await socket.ask('authenticate', { token: 'x' })).toMatchObject({ error: { type: 'unauthenticated' } });
    expect(await socket.ask('conversation:join', { conversationId })).toMatchObject({ ok: true });
  });

  it('is told by CORS where pages may connect from', async () => {
    const poll = (origin: string): Promise<Response> =>
      fetch(`${app.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
    expect((await poll('https://app.example')).headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect((await poll('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('what a client may send', () => {
  const wrong: [string, unknown[]][] = [
    ['conversation:join', []],
    ['conversation:join', [null]],
    ['conversation:join', ['x', 'y']],
    ['conversation:join', [{ conversationId: 'x' }]],
    ['conversation:join', [{ conversationId: randomUUID(), more: 1 }]],
    ['conversation:join', [[randomUUID()]]],
    ['message:send', [{ conversationId: randomUUID(), content: '', clientId: 'a' }]],
    ['message:send', [{ conversationId: randomUUID(), content: 'a\u0000b', clientId: 'a' }]],
    ['message:send', [{ conversationId: randomUUID(), content: 'x'.repeat(100_001), clientId: 'a' }]],
    ['message:send', [{ conversationId: randomUUID(), content: Buffer.from('x'), clientId: 'a' }]],
    ['reply:resume', [{ messageId: randomUUID(), attempt: -1, after: 0 }]],
    ['reply:resume', [{ messageId: randomUUID(), attempt: 1e99, after: 0 }]],
    ['reply:resume', [{ messageId: randomUUID(), attempt: '1', after: 0 }]],
    ['typing', [{ conversationId: randomUUID(), typing: 'yes' }]],
    ['authenticate', [{ token: {} }]],
    ['__proto__', [{}]],
    ['toString', [{}]],
    ['no:such:event', [{}]],
  ];

  it.each(wrong)('%s with mistakes is refused, and the connection goes on', async (event, payloads) => {
    const socket = await connect();
    expect(await socket.ask(event, ...payloads)).toMatchObject({ ok: false, error: { type: 'invalid_request' } });
    expect(await socket.ask('conversation:leave', { conversationId })).toEqual({ ok: true });
  });

  it('is refused by acknowledgement when it is too large, on both transports', async () => {
    for (const transport of ['websocket', 'polling'] as const) {
      const socket = await connect(owner.accessToken, { transports: [transport] });
      const payload = { conversationId, content: 'x'.repeat(3_000_000), clientId: 'large' };
      expect(await socket.ask('message:send', payload)).toMatchObject({ error: { type: 'payload_too_large' } });
      // Past the client, which could not encode it.
      socket.socket.io.engine.send(`2["typing",${'['.repeat(200_000)}${']'.repeat(200_000)}]`);
      expect(await socket.ask('conversation:leave', { conversationId })).toEqual({ ok: true });
    }
  });

  it('is done also without an acknowledgement', async () => {
    const socket = await connect();
    await socket.ask('conversation:join', { conversationId });
    socket.socket.emit('message:send', { conversationId, content: 'quiet', clientId: randomUUID(), reply: false });
    socket.socket.emit('no:such:event');
    expect(await socket.event('message:created', ({ message }) => message.content === 'quiet')).toBeDefined();
  });

  it('is limited in number', async () => {
    const socket = await connect();
    const answers = await Promise.all(
      Array.from({ length: 600 }, () => socket.ask('conversation:leave', { conversationId })),
    );
    const refused = answers.filter(({ ok }) => !ok);
    expect(refused.length).toBeGreaterThan(100);
    expect(refused[0]).toMatchObject({ error: { type: 'rate_limited' } });
  });

  it('names nothing of other people', async () => {
    const other = await app.registerUser();
    const reply = await scriptReply(app.ctx, conversationId);
    const socket = await connect(other.accessToken);
    const attempts: Partial<Record<ClientEvent, object>> = {
      'conversation:join': { conversationId },
      typing: { conversationId, typing: true },
      'message:send': { conversationId, content: 'Hi', clientId: 'x' },
      'reply:cancel': { messageId: reply.messageId },
      'reply:resume': { messageId: reply.messageId, attempt: 0, after: 0 },
      'job:watch': { jobId: randomUUID() },
    };
    for (const [event, payload] of Object.entries(attempts)) {
      expect(await socket.ask(event, payload)).toMatchObject({ ok: false, error: { type: 'not_found' } });
    }
  });
});

describe('messages', () => {
  it('are posted once under one clientId, and reach everybody in the room', async () => {
    const id = await newConversation();
    const [one, two] = [await connect(), await connect()];
    await Promise.all([one, two].map((socket) => socket.ask('conversation:join', { conversationId: id })));
    const payload = { conversationId: id, content: 'Hello', clientId: 'c-1', reply: true };
    const [first, second] = await Promise.all([one.ask('message:send', payload), two.ask('message:send', payload)]);
    expect(first).toMatchObject({
      ok: true,
      message: { content: 'Hello', clientId: 'c-1' },
      reply: { state: 'queued' },
    });
    expect(second.message.id).toBe(first.message.id);
    for (const socket of [one, two]) {
      await socket.event('message:created', ({ message }) => message.id === first.reply.id);
      const created = socket.received.filter(({ event }) => event === 'message:created');
      expect(created).toHaveLength(2);
    }
    const joined = await (await connect()).ask('conversation:join', { conversationId: id });
    expect(joined).toMatchObject({ lastSeq: 2, activeReplies: [{ messageId: first.reply.id, attempt: 0, seq: 0 }] });
    expect(await one.ask('reply:cancel', { messageId: first.reply.id })).toMatchObject({ ok: true });
    await two.event('reply:cancelled', ({ messageId }) => messageId === first.reply.id);
  });
});

describe('jobs', () => {
  it('are watched by their owner and admins', async () => {
    const { body } = await app.request('POST', `/conversations/${conversationId}/messages`, {
      token: owner.accessToken,
      body: { content: 'Hello', reply: true },
    });
    const admin = await app.registerUser({ role: 'admin' });
    for (const token of [owner.accessToken, admin.accessToken]) {
      const socket = await connect(token);
      expect(await socket.ask('job:watch', { jobId: body.jobId })).toMatchObject({ ok: true, progress: null });
      await app.ctx.publisher.emit(`job:${body.jobId}`, 'job:done', { jobId: body.jobId });
      expect(await socket.event('job:done')).toEqual({ jobId: body.jobId });
      expect(app.ctx.realtime.rooms.names()).not.toContain(`job:${body.jobId}`);
    }
    const over = randomUUID();
    await app.ctx.database.query(
      `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, state, finished_at)
       VALUES ($1, 'clean', 'upkeep', '{}', $2, $2, 'done', now())`,
      [over, owner.user.id],
    );
    const late = await connect(owner.accessToken);
    expect(await late.ask('job:watch', { jobId: over })).toEqual({
      ok: true,
      state: 'done',
      progress: null,
      error: null,
    });
    expect(app.ctx.realtime.rooms.names()).not.toContain(`job:${over}`);
    const demoted = await connect(admin.accessToken);
    await demoted.ask('job:watch', { jobId: body.jobId });
    await app.ctx.database.query(`UPDATE users SET role = 'regular' WHERE id = $1`, [admin.user.id]);
    await app.ctx.publisher.control({ type: 'principal-changed', userId: admin.user.id });
    expect(await demoted.event('access:revoked')).toEqual({ room: `job:${body.jobId}` });
  });
});
