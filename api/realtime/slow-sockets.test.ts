import { expect, test, vi } from 'vitest';
import { createLogger } from '../../shared/logger.js';
import type { SocketServer } from './session.js';
import { startSlowSocketGuard } from './slow-sockets.js';

const megabyte = 1024 * 1024;
const logger = createLogger({ level: 'silent', role: 'test' });

/** Of connections for which this waits, those that are ended. */
function endedOf(waiting: Record<string, unknown[]>): string[] {
  const ended: string[] = [];
  const sockets = Object.entries(waiting).map(([id, packets]) => {
    const conn = { writeBuffer: packets.map((data) => ({ data })), close: () => ended.push(id) };
    return [id, { id, conn }] as const;
  });
  vi.useFakeTimers();
  const guard = startSlowSocketGuard({ of: () => ({ sockets: new Map(sockets) }) } as unknown as SocketServer, logger);
  vi.advanceTimersByTime(1_500);
  guard.close();
  vi.useRealTimers();
  return ended;
}

test('a client that does not read is let go, whether it is sent text or edits, in many packets or few', () => {
  const text = 'x'.repeat(10 * megabyte);
  const edit = Buffer.alloc(10 * megabyte);
  const edits = Array.from({ length: 5_000 }, () => ['51-["document:update"]', Buffer.alloc(2_048)]).flat();
  expect(endedOf({ text: [text], edit: [edit], edits })).toEqual(['text', 'edit', 'edits']);
});

test('one that is a little behind is not', () => {
  const packets = Array.from({ length: 1_000 }, () => ['a line', Buffer.alloc(1_024)]).flat();
  expect(endedOf({ idle: [], behind: packets, pinged: [undefined] })).toEqual([]);
});
