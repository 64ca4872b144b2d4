import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { ClientError } from './errors.js';
import { createOutbox } from './outbox.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** What one types, letter by letter. */
function typed(letters: string): Uint8Array[] {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on('update', (update: Uint8Array) => updates.push(update));
  for (const letter of letters) doc.getText('content').insert(doc.getText('content').length, letter);
  return updates;
}

test('an edit at which the server fails is told like one that is refused, and tried again by itself', async () => {
  const stored = new Y.Doc();
  const written = (): string => stored.getText('content').toString();
  let failing = true;
  let tries = 0;
  const refused = vi.fn();
  const outbox = createOutbox({
    connection: {
      // As the connection does after so many answers of this kind.
      request: (async (_event: string, { update }: { update: Uint8Array }, mostFailures = Infinity) => {
        if (!Number.isFinite(mostFailures)) return new Promise(() => {});
        const probe = new Y.Doc();
        Y.applyUpdate(probe, Y.encodeStateAsUpdate(stored));
        Y.applyUpdate(probe, update);
        tries += 1;
        if (failing && probe.getText('content').toString().includes('c'))
          throw new ClientError('internal', 'It failed.');
        Y.applyUpdate(stored, update);
        return { seq: 1 };
      }) as never,
      send: () => {},
      onClosed: () => () => {},
    },
    documentId: 'id',
    onStored: () => {},
    onChange: () => {},
    onRefused: refused,
  });
  for (const update of typed('abcde')) outbox.add(update);
  await vi.waitFor(() => expect(refused).toHaveBeenCalledTimes(1));
  expect(refused.mock.calls[0]).toMatchObject([{ type: 'internal' }]);
  expect([written(), outbox.isEmpty(), outbox.refusal()?.type]).toEqual(['ab', false, 'internal']);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(refused).toHaveBeenCalledTimes(2);
  failing = false;
  const before = tries;
  await vi.advanceTimersByTimeAsync(30_000);
  expect([written(), outbox.isEmpty(), outbox.refusal()]).toEqual(['abcde', true, null]);
  expect(tries).toBe(before + 1);
});
