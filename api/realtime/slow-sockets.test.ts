import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogger } from '../../shared/logger.js';
import type { SocketServer } from './session.js';
import { startSlowSocketGuard } from './slow-sockets.js';

const megabyte = 1024 * 1024;
const logger = createLogger({ level: 'silent', role: 'test' });
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Of connections for which this waits, those that are ended; `onLook` changes what waits, after each look. */
function endedOf(waiting: Record<string, unknown[]>, onLook: (waiting: Record<string, unknown[]>) => void = () => {}) {
  const ended = new Set<string>();
  const sockets = Object.keys(waiting).map((id) => {
    const conn = {
      get writeBuffer() {
        return (waiting[id] ?? []).map((data) => ({ data }));
      },
      close: () => void ended.add(id),
    };
    return [id, { id, conn }] as const;
  });
  const guard = startSlowSocketGuard({ of: () => ({ sockets: new Map(sockets) }) } as unknown as SocketServer, logger);
  for (let look = 0; look < 4; look += 1) {
    vi.advanceTimersByTime(1_000);
    onLook(waiting);
  }
  guard.close();
  return [...ended];
}

test('a client that does not read is let go, whether it is sent text or edits, in many packets or few', () => {
  const text = 'x'.repeat(10 * megabyte);
  const edit = Buffer.alloc(10 * megabyte);
  const edits = Array.from({ length: 5_000 }, () => ['51-["document:update"]', Buffer.alloc(2_048)]).flat();
  expect(endedOf({ text: [text], edit: [edit], edits })).toEqual(['text', 'edit', 'edits']);
});

test('one for which more and more waits, too', () => {
  const grow = (waiting: Record<string, unknown[]>) => waiting.behind?.push(Buffer.alloc(megabyte));
  expect(endedOf({ behind: [Buffer.alloc(9 * megabyte)] }, grow)).toEqual(['behind']);
});

test('one that is a little behind is not, nor one that takes what it has asked for', () => {
  const packets = Array.from({ length: 1_000 }, () => ['a line', Buffer.alloc(1_024)]).flat();
  const pages = Array.from({ length: 40 }, () => Buffer.alloc(megabyte));
  const read = (waiting: Record<string, unknown[]>) => waiting.reading?.splice(0, 5);
  expect(endedOf({ idle: [], behind: packets, pinged: [undefined], reading: pages }, read)).toEqual([]);
});
