import { Agent, createServer, get, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { watchRequests } from './finish-requests.js';

/** Keeps connections open, as proxies do. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let server: Server;
afterEach(() => server.closeAllConnections());

async function serve(handle: RequestListener, limitMs?: number): Promise<() => Promise<void>> {
  server = createServer(handle);
  // Longer than a test may take: nobody waits for it.
  server.keepAliveTimeout = 120_000;
  const close = watchRequests(server, limitMs);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return close;
}

const send = (path = '/'): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    get({ port, path, agent }, resolve).on('error', reject);
  });

async function textOf(message: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of message) text += String(part);
  return text;
}

test('what is under way is answered, and its connection ends with the answer', async () => {
  let answer: (() => void) | undefined;
  const close = await serve((_request, response) => {
    answer = () => response.end('whole');
  });
  const sent = send();
  await expect.poll(() => answer).toBeDefined();
  const closed = close();
  answer?.();
  const message = await sent;
  expect([message.headers.connection, await textOf(message)]).toEqual(['close', 'whole']);
  await closed;
});

test('an answer that has begun comes to its end', async () => {
  let finish = (): void => {};
  const close = await serve((_request, response) => {
    response.write('begun, ');
    finish = () => response.end('ended');
  });
  const message = await send();
  const closed = close();
  finish();
  expect(await textOf(message)).toBe('begun, ended');
  await closed;
});

test('what takes too long is broken off', async () => {
  const close = await serve((_request, response) => void response.write('begun'), 50);
  const message = await send();
  const read = textOf(message);
  read.catch(() => {});
  await close();
  await expect(read).rejects.toThrow('aborted');
});

test('a request that was sent and not read yet is answered, as the last one of its connection', async () => {
  const close = await serve((_request, response) => void response.end('answered'));
  expect(await textOf(await send())).toBe('answered');
  const sent = send();
  const closed = close();
  const message = await sent;
  expect([message.headers.connection, await textOf(message)]).toEqual(['close', 'answered']);
  await closed;
});

test('a connection that nobody uses holds nothing up', async () => {
  const close = await serve((_request, response) => void response.end('done'));
  expect(await textOf(await send())).toBe('done');
  await close();
});
