import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { io as connect, type Socket as ClientSocket } from 'socket.io-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emitBinary } from './emit-binary.js';
import type { ClientSocket as ServedSocket } from './session.js';

const httpServer = createServer();
const io = new Server(httpServer);
const clients: ClientSocket[] = [];
beforeEach(() => new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve)));
afterEach(async () => {
  clients.forEach((client) => client.disconnect());
  await io.close();
});

type Payload = { text: string; bytes?: Buffer };

/** To be compared as text: buffers are compared byte for byte, for seconds. */
const inOneLine = ({ text, bytes }: Payload): string => `${text} ${bytes?.toString('latin1')}`;

/** A client that writes down what it receives, and its socket in the server. */
async function reader(transport: 'polling' | 'websocket') {
  const { port } = httpServer.address() as AddressInfo;
  const heard: string[] = [];
  const served = new Promise<Socket>((resolve) => io.once('connection', resolve));
  const client = connect(`http://127.0.0.1:${port}`, { transports: [transport], forceNew: true });
  clients.push(client);
  client.on('event', (payload) => heard.push(inOneLine(payload)));
  const ended = new Promise<void>((resolve) => client.on('end', resolve));
  const socket = await served;
  let packets = 0;
  socket.conn.on('packetCreate', ({ type }) => (packets += type === 'message' ? 1 : 0));
  return { heard, ended, socket: socket as unknown as ServedSocket, packets: () => packets };
}

/** Lengths at which the header of a frame changes, and around them. */
const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 200_000];

test('what is binary comes as it was sent, between what is text, over WebSocket in one packet each', async () => {
  const readers = [await reader('websocket'), await reader('polling'), await reader('websocket')];
  const sockets = readers.map(({ socket }) => socket);
  const sent = lengths.flatMap((length): Payload[] => [
    { text: `before ${length} ü` },
    { text: `${length} ü`, bytes: Buffer.alloc(length, length % 251) },
  ]);
  for (const payload of sent) {
    if (!payload.bytes) io.emit('event', payload);
    else emitBinary(sockets, 'event', payload);
  }
  io.emit('end');

  for (const each of readers) {
    await each.ended;
    expect(each.heard).toEqual(sent.map(inOneLine));
  }
  const [webSocket, polling] = readers.map(({ packets }) => packets());
  expect(webSocket).toBe(sent.length + 1);
  expect(polling).toBe(sent.length + lengths.length + 1);
});
