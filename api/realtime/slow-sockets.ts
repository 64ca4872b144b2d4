import type { Logger } from '../../shared/logger.js';
import type { SocketServer } from './session.js';

/** Bytes that may wait for one client. A reader that is so far behind resumes faster than it catches up. */
const maxWaitingBytes = 8 * 1024 * 1024;
const checkMs = 1_000;

/**
 * Ends connections whose client does not read: what waits for them is memory of this process. The client connects
 * again and asks for what it lacks.
 */
export function startSlowSocketGuard(io: SocketServer, logger: Logger): { close(): void } {
  const timer = setInterval(() => {
    for (const socket of io.of('/').sockets.values()) {
      const { writeBuffer } = socket.conn as unknown as { writeBuffer: { data?: unknown }[] };
      if (waitingBytes(writeBuffer) <= maxWaitingBytes) continue;
      logger.warn({ socket: socket.id, packets: writeBuffer.length }, 'a client does not read; closing its connection');
      (socket.conn as unknown as { close(discard: boolean): void }).close(true);
    }
  }, checkMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

function waitingBytes(packets: { data?: unknown }[]): number {
  let bytes = 0;
  for (const { data } of packets) {
    if (typeof data === 'string') bytes += data.length;
    // Edits and cursors: a packet of their own after the one that tells of them.
    else if (ArrayBuffer.isView(data)) bytes += data.byteLength;
  }
  return bytes;
}
