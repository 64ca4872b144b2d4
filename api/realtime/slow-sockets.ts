import type { Logger } from '../../shared/logger.js';
import type { SocketServer } from './session.js';

/** Bytes that may wait for one client. A reader that is so far behind resumes faster than it catches up. */
const maxWaitingBytes = 8 * 1024 * 1024;
const checkMs = 1_000;

type Connection = { writeBuffer: { data?: unknown }[]; close(discard: boolean): void };

/**
 * Ends connections whose client does not read: what waits for them is memory of this process. The client connects
 * again and asks for what it lacks. One that has asked for much at once, and takes it as fast as its line allows, is
 * left alone: it would only have to ask again.
 */
export function startSlowSocketGuard(io: SocketServer, logger: Logger): { close(): void } {
  /** Of connections for which too much waits how much it was at the last look. */
  const behind = new WeakMap<Connection, number>();
  const timer = setInterval(() => {
    for (const socket of io.of('/').sockets.values()) {
      const connection = socket.conn as unknown as Connection;
      const waiting = waitingBytes(connection.writeBuffer);
      const before = behind.get(connection) ?? Infinity;
      if (waiting <= maxWaitingBytes) behind.delete(connection);
      else behind.set(connection, waiting);
      if (waiting <= maxWaitingBytes || waiting < before) continue;
      logger.warn({ socket: socket.id, bytes: waiting }, 'a client does not read; closing its connection');
      connection.close(true);
    }
  }, checkMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

function waitingBytes(packets: Connection['writeBuffer']): number {
  let bytes = 0;
  for (const { data } of packets) {
    if (typeof data === 'string') bytes += data.length;
    // Edits and cursors: a packet of their own after the one that tells of them.
    else if (ArrayBuffer.isView(data)) bytes += data.byteLength;
  }
  return bytes;
}
