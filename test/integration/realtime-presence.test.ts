import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../shared/logger.js';
import { createPresence, type Presence } from '../../shared/realtime/presence.js';
import { presenceKey } from '../../shared/realtime/presence-scripts.js';
import { roomChannel } from '../../shared/realtime/publisher.js';
import { connectRedis } from '../../shared/redis.js';
import { eventually } from '../support/eventually.js';
import { startTestApp } from '../support/app.js';
import { connectRaw } from '../support/sockets.js';
import { ownRedis } from '../support/stack.js';

const logger = createLogger({ level: 'silent', role: 'test' });
const times = { beatMs: 100, expireMs: 500 };

let server: Awaited<ReturnType<typeof ownRedis>>;
let listener: Redis;
/** What was announced in each room, in order, as `joined Ada`. */
const announced = new Map<string, string[]>();
const processes: { presence: Presence; redis: Redis }[] = [];

beforeAll(async () => {
  server = await ownRedis();
  listener = connectRedis(server.url, 'subscriber', logger);
  listener.on('message', (_channel: string, message: string) => {
    const { e, p } = JSON.parse(message) as { e: string; p: { room: string; name: string } };
    announced.set(p.room, [...(announced.get(p.room) ?? []), `${e.replace('user:', '')} ${p.name}`]);
  });
});
afterEach(async () => {
  for (const { presence, redis } of processes.splice(0)) {
    await presence.close().catch(() => {});
    redis.disconnect();
  }
});
afterAll(async () => {
  listener.disconnect();
  await server.remove();
});

/** What a web process has: presence over a connection of its own, which a test can break. */
async function startProcess() {
  const redis = connectRedis(server.url, 'commands', logger);
  await eventually(() => expect(redis.status).toBe('ready'));
  const started = { redis, presence: createPresence({ redis, logger, ...times }) };
  processes.push(started);
  return started;
}

async function newRoom(): Promise<string> {
  const room = `conversation:${randomUUID()}`;
  await listener.subscribe(roomChannel(room));
  return room;
}

const heard = (room: string): string[] => announced.get(room) ?? [];
const expectHeard = (room: string, words: string[]): Promise<void> =>
  eventually(() => expect([...heard(room)].sort()).toEqual([...words].sort()), { timeout: 10_000 });

const ada = { userId: 'a', name: 'Ada' };
const bob = { userId: 'b', name: 'Bob "/\\ é🐎' };

describe('presence', () => {
  it('is announced with the first connection anywhere, and ends with the last', async () => {
    const [one, two] = [await startProcess(), await startProcess()];
    const room = await newRoom();
    one.presence.enter(room, 'c1', ada);
    one.presence.enter(room, 'c2', ada);
    await expectHeard(room, ['joined Ada']);
    two.presence.enter(room, 'c3', ada);
    two.presence.enter(room, 'c4', bob);
    await expectHeard(room, ['joined Ada', `joined ${bob.name}`]);
    expect(await one.presence.list(room)).toEqual(expect.arrayContaining([ada, bob]));
    one.presence.leave(room, 'c1');
    one.presence.leave(room, 'c2');
    expect(await one.presence.list(room)).toHaveLength(2);
    two.presence.leave(room, 'c3');
    await expectHeard(room, ['joined Ada', `joined ${bob.name}`, 'left Ada']);
    expect(await one.presence.list(room)).toEqual([bob]);
  });

  it('ends when a process dies, announced by one of the others', async () => {
    const [dying, ...others] = [await startProcess(), await startProcess(), await startProcess(), await startProcess()];
    const room = await newRoom();
    dying.presence.enter(room, 'c1', ada);
    dying.presence.enter(room, 'c2', bob);
    others[0]?.presence.enter(room, 'c3', bob);
    await expectHeard(room, ['joined Ada', `joined ${bob.name}`]);
    dying.redis.disconnect();
    await expectHeard(room, ['joined Ada', `joined ${bob.name}`, 'left Ada']);
    expect(await others[1]?.presence.list(room)).toEqual([bob]);
  });

  it('comes back with a process that had only slept', async () => {
    const [sleeping, other] = [await startProcess(), await startProcess()];
    const room = await newRoom();
    sleeping.presence.enter(room, 'c1', ada);
    await expectHeard(room, ['joined Ada']);
    sleeping.redis.disconnect();
    await expectHeard(room, ['joined Ada', 'left Ada']);
    await sleeping.redis.connect();
    await expectHeard(room, ['joined Ada', 'left Ada', 'joined Ada']);
    expect(await other.presence.list(room)).toEqual([ada]);
  });

  it('is written again after a flush, and nobody is announced twice', async () => {
    const [one, two] = [await startProcess(), await startProcess()];
    const rooms = await Promise.all(Array.from({ length: 20 }, newRoom));
    for (const room of rooms) {
      one.presence.enter(room, 'c1', ada);
      two.presence.enter(room, 'c2', ada);
    }
    for (const room of rooms) await expectHeard(room, ['joined Ada']);
    await one.redis.flushall();
    for (const room of rooms) await eventually(async () => expect(await one.presence.list(room)).toEqual([ada]));
    for (const room of rooms) {
      await eventually(async () => {
        const entry = await one.redis.hget(presenceKey(room), ada.userId);
        expect(Object.keys((JSON.parse(entry ?? '{}') as { in_?: object }).in_ ?? {})).toHaveLength(2);
      });
    }
    for (const room of rooms) {
      one.presence.leave(room, 'c1');
      expect(heard(room)).toEqual(['joined Ada']);
      two.presence.leave(room, 'c2');
      await expectHeard(room, ['joined Ada', 'left Ada']);
    }
  });

  it('is put right when somebody was announced as gone who is still here', async () => {
    const one = await startProcess();
    const room = await newRoom();
    one.presence.enter(room, 'c1', ada);
    await expectHeard(room, ['joined Ada']);
    await one.redis.hdel(presenceKey(room), ada.userId);
    one.presence.correct(room, ada.userId);
    await expectHeard(room, ['joined Ada', 'joined Ada']);
  });

  it('catches up on what happened while Redis was away', async () => {
    const one = await startProcess();
    const room = await newRoom();
    one.presence.enter(room, 'c1', ada);
    await expectHeard(room, ['joined Ada']);
    one.redis.disconnect();
    await eventually(() => expect(one.redis.status).toBe('end'));
    one.presence.leave(room, 'c1');
    one.presence.enter(room, 'c2', bob);
    await one.redis.connect();
    await eventually(async () => expect(await one.presence.list(room)).toEqual([bob]));
  });

  it('leaves nothing in Redis', async () => {
    const one = await startProcess();
    const room = await newRoom();
    one.presence.enter(room, 'c1', ada);
    await expectHeard(room, ['joined Ada']);
    await one.presence.close();
    await expectHeard(room, ['joined Ada', 'left Ada']);
    expect(await one.redis.keys(`millrace:presence:*${room}*`)).toEqual([]);
  });
});

it('is what the sockets of two processes hear, and what who joins is told', async () => {
  const one = await startTestApp({ redisUrl: server.url });
  const two = await startTestApp({ redisUrl: server.url, databaseUrl: one.ctx.config.database.url });
  const owner = await one.registerUser({ name: 'Owner' });
  const guest = await one.registerUser({ name: 'Guest' });
  const token = owner.accessToken;
  const { body } = await one.request('POST', '/conversations', { token, body: { title: 'T' } });
  const conversationId: string = body.id;
  const room = `conversation:${conversationId}`;
  const memberPath = `/conversations/${conversationId}/members/${guest.user.id}`;
  await one.request('PUT', memberPath, { token, body: { history: 'all' } });
  const first = await connectRaw(one.url, owner.accessToken);
  const [tab, secondTab] = await Promise.all([
    connectRaw(two.url, guest.accessToken),
    connectRaw(one.url, guest.accessToken),
  ]);
  const ownPlace = { userId: owner.user.id, name: 'Owner' };
  const guestPlace = { userId: guest.user.id, name: 'Guest' };
  expect(await first.ask('conversation:join', { conversationId })).toMatchObject({ present: [ownPlace] });
  const { present } = await tab.ask('conversation:join', { conversationId });
  expect(present).toEqual(expect.arrayContaining([ownPlace, guestPlace]));
  expect(await first.event('user:joined', ({ userId }) => userId === guest.user.id)).toEqual({ room, ...guestPlace });
  await secondTab.ask('conversation:join', { conversationId });
  tab.close();
  await eventually(async () => {
    const places = two.ctx.realtime.rooms.readers().filter((place) => place.room === room);
    expect(places).toEqual([]);
  });
  expect(first.received.filter(({ event }) => event === 'user:left')).toEqual([]);
  await two.close();
  await one.request('DELETE', memberPath, { token });
  expect(await first.event('user:left')).toEqual({ room, ...guestPlace });
  expect(first.received.filter(({ event }) => event === 'user:joined')).toHaveLength(2);
  for (const socket of [first, secondTab]) socket.close();
  await one.close();
});
