import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { eventually } from '../../test/support/eventually.js';
import { createConnection } from './connection.js';

type Asked = { event: string; acknowledge(answer: object): void };

let server: Server;
let url: string;
let asked: Asked[];
/** What the server says of the token. */
let expires: { expiresAt: number | null; expiresInMs: number | null };

beforeEach(async () => {
  // Before the client is made, as it keeps the timers that it finds.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  asked = [];
  expires = { expiresAt: null, expiresInMs: null };
  const http = createServer();
  // No pings: they would be missed when time is moved on.
  server = new Server(http, { pingInterval: 1_000_000 });
  server.on('connection', (socket) => {
    socket.emit('session', { userId: 'ada', name: 'Ada', ...expires });
    socket.onAny((event: string, _payload: unknown, acknowledge: Asked['acknowledge']) => {
      asked.push({ event, acknowledge });
    });
  });
  await new Promise<void>((resolve) => void http.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

/** Each look moves the time of the client on by as much. */
const soon = { interval: 1 };

const events = (): string[] => asked.map(({ event }) => event);

test('on a line that is slower than we wait the answer to what was sent first is taken', async () => {
  const connection = createConnection({ url, token: 'x' });
  const done = connection.request('typing', { conversationId: 'id', typing: true });
  await eventually(() => expect(events()).toEqual(['typing']), soon);
  await vi.advanceTimersByTimeAsync(10_000);
  await eventually(() => expect(events()).toEqual(['typing', 'typing']), soon);
  asked[0]?.acknowledge({ ok: true });
  expect(await done).toEqual({ ok: true });
  connection.close();
});

test('what the server fails at each time is sent for ever, or as often as was said', async () => {
  const connection = createConnection({ url, token: 'x' });
  const failure = { ok: false, error: { type: 'internal', message: 'It failed.' } };
  const typing = { conversationId: 'id', typing: true };
  const [few, many] = [connection.request('typing', typing, 3), connection.request('typing', typing)];
  const failed = few.catch((error: unknown) => error);
  let answered = 0;
  await eventually(async () => {
    for (; answered < asked.length; answered += 1) asked[answered]?.acknowledge(answered < 10 ? failure : { ok: true });
    await vi.advanceTimersByTimeAsync(500);
    expect(answered).toBe(11);
  }, soon);
  expect(await failed).toMatchObject({ type: 'internal' });
  expect(await many).toEqual({ ok: true });
  connection.close();
});

test('a token is renewed when it is about to end, though the clock here says that it ended long ago', async () => {
  expires = { expiresAt: Date.now() - 3_600_000, expiresInMs: 200_000 };
  const connection = createConnection({ url, getToken: () => 'x' });
  await eventually(() => expect(connection.session()).not.toBeNull(), soon);
  // What the server has got by then is all that was sent before it.
  const arrived = async (): Promise<string[]> => {
    connection.send('typing', { conversationId: 'id', typing: true });
    await eventually(() => expect(events()).toContain('typing'), soon);
    return events();
  };
  await vi.advanceTimersByTimeAsync(120_000);
  expect(await arrived()).toEqual(['typing']);
  await vi.advanceTimersByTimeAsync(40_000);
  await eventually(() => expect(events()).toEqual(['typing', 'authenticate']), soon);
  connection.close();
});
