import { io, type Socket } from 'socket.io-client';
import { vi } from 'vitest';
import type { ServerEvent, ServerEventPayloads } from '../../shared/realtime/events.js';

/** What a socket was sent, by event. */
export type RawSocket = {
  socket: Socket;
  /** Sends an event and answers what was acknowledged. */
  // oxlint-disable-next-line no-explicit-any -- tests read answers as a client without types does
  ask(event: string, ...payload: unknown[]): Promise<any>;
  received: { event: string; payload: unknown }[];
  /** The first event of this name that was or will be received, and of which `which` is true. */
  event<Event extends ServerEvent>(
    name: Event,
    which?: (payload: ServerEventPayloads[Event]) => boolean,
  ): Promise<ServerEventPayloads[Event]>;
  /** Why the connection ended, once it has. */
  disconnected(): Promise<string>;
  close(): void;
};

type Options = { transports?: ('websocket' | 'polling')[]; auth?: object; timeoutMs?: number };

/**
 * Connects a plain Socket.IO client that does not come back by itself.
 *
 * @throws the `connect_error`, with what the server said as `data`.
 */
export async function connectRaw(url: string, token: string, options: Options = {}): Promise<RawSocket> {
  const { transports = ['websocket'], auth = { token }, timeoutMs = 10_000 } = options;
  const socket = io(url, { transports, auth, reconnection: false, multiplex: false });
  const received: RawSocket['received'] = [];
  let ended: string | null = null;
  socket.onAny((event: string, payload: unknown) => received.push({ event, payload }));
  socket.on('disconnect', (reason) => (ended = reason));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', (error) => {
      socket.close();
      reject(error);
    });
  });
  const wait = { timeout: timeoutMs, interval: 10 };
  return {
    socket,
    received,
    ask: (event, ...payload) => socket.timeout(timeoutMs).emitWithAck(event, ...payload),
    event: (name, which = () => true) =>
      vi.waitFor(() => {
        const found = received.find(({ event, payload }) => event === name && which(payload as never));
        if (!found) throw new Error(`no ${name} among ${received.map(({ event }) => event).join(', ') || 'nothing'}`);
        return found.payload as never;
      }, wait),
    disconnected: () =>
      vi.waitFor(() => {
        if (ended === null) throw new Error('still connected');
        return ended;
      }, wait),
    close: () => void socket.close(),
  };
}
