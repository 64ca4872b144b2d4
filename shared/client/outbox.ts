import type { Connection } from './connection.js';
import { maxUpdateBytes } from '../realtime/update-size.js';
import type { Off } from './emitter.js';
import { backoffMs, ClientError } from './errors.js';
import { mergeUpdates } from './merge-updates.js';

/** Local edits on their way to the server. What is left when the connection is closed goes as its last messages. */
export type Outbox = {
  /** Waits behind what was refused, if anything was. */
  add(update: Uint8Array): void;
  /** Sends what is there, and tries again what was refused, unless it is under way. */
  flush(): void;
  /** Tries again what was refused, also when that is under way: what it is refused for may have changed since. */
  retry(): void;
  /** Why the first of what is there was not taken. */
  refusal(): ClientError | null;
  isEmpty(): boolean;
};

type Options = {
  connection: Pick<Connection, 'request' | 'send' | 'onClosed'>;
  documentId: string;
  /** The server has an update, at this place. */
  onStored(seq: number, update: Uint8Array): void;
  /** There is something unsaved, or there is not any more. */
  onChange(): void;
  /** The server does not take an edit. It is kept, with those behind it, and sent again with the next flush. */
  onRefused(error: ClientError): void;
};

/** What goes at once; the server takes more, but a slow line acknowledges less sooner. */
const maxBytes = 512 * 1024;

/**
 * So often the server may fail at an edit, within some seconds, before it is told like one that is refused. It is tried
 * again by itself, in half a minute: nobody but the server can do anything about it, and it may be mended by then.
 */
const mostFailures = 6;
const failedAgainMs = 30_000;

/**
 * One message is under way at a time, and what is typed meanwhile goes together with the next: on a slow line there
 * are few large ones. An edit stays here until the server has acknowledged it, across reconnects.
 */
export function createOutbox({ connection, documentId, onStored, onChange, onRefused }: Options): Outbox {
  let waiting: Uint8Array[] = [];
  let sending = false;
  let scheduled = false;
  /** What was refused is to be sent once more: it was asked for while it was under way. */
  let again = false;
  let refusal: ClientError | null = null;
  /** Fewer while what is refused is looked for: what was edited before it is to be saved. */
  let most = Infinity;
  let offClosed: Off | null = null;
  let later: ReturnType<typeof setTimeout> | undefined;

  function firstOf(updates: Uint8Array[]): Uint8Array[] {
    let count = 0;
    for (let bytes = 0; count < Math.min(updates.length, most); count += 1) {
      bytes += updates[count]?.byteLength ?? 0;
      if (count > 0 && bytes > maxBytes) break;
    }
    return updates.slice(0, count);
  }

  /**
   * What is given to the connection before it closes still arrives, though nobody hears of it: who closes an editor with
   * its page does not wait. What is under way is sent again, since it may not have got so far.
   */
  function sendLast(): void {
    clearTimeout(later);
    let left = waiting;
    for (let batch = firstOf(left); batch.length > 0; batch = firstOf(left)) {
      left = left.slice(batch.length);
      const update = mergeUpdates(batch);
      if (update.byteLength > maxUpdateBytes) return;
      connection.send('document:update', { documentId, update });
    }
  }

  async function send(): Promise<void> {
    while (waiting.length > 0) {
      const batch = firstOf(waiting);
      try {
        await sendBatch(batch);
      } catch (error) {
        if (!(error instanceof ClientError) || error.type === 'closed') throw error;
        most = batch.length >> 1;
        if (most > 0) continue;
        refusal = error;
        throw error;
      }
    }
    most = Infinity;
  }

  async function sendBatch(batch: Uint8Array[]): Promise<void> {
    const update = mergeUpdates(batch);
    // A message of much more would close the connection, again and again.
    if (update.byteLength > maxUpdateBytes) {
      throw new ClientError('payload_too_large', `An edit may have at most ${maxUpdateBytes} bytes.`);
    }
    const { seq } = await connection.request('document:update', { documentId, update }, mostFailures);
    waiting = waiting.slice(batch.length);
    if (waiting.length === 0) {
      offClosed?.();
      offClosed = null;
    }
    onStored(seq, update);
  }

  function begin(): void {
    if (sending || scheduled) return;
    clearTimeout(later);
    scheduled = true;
    refusal = null;
    most = Infinity;
    // Edits of one turn of the event loop go together.
    queueMicrotask(() => {
      scheduled = false;
      sending = true;
      again = false;
      let stopped = false;
      void send()
        .catch(() => (stopped = true))
        .finally(() => {
          sending = false;
          if (refusal?.type === 'internal') later = setTimeout(begin, backoffMs(10, failedAgainMs));
          if (refusal) onRefused(refusal);
          onChange();
          // Something may have come in after the last look.
          if (waiting.length > 0 && (again || !stopped)) begin();
        });
    });
  }

  return {
    add(update) {
      waiting.push(update);
      offClosed ??= connection.onClosed(sendLast);
      onChange();
      if (!refusal) begin();
    },
    flush: begin,
    retry() {
      again = sending;
      begin();
    },
    refusal: () => refusal,
    isEmpty: () => waiting.length === 0,
  };
}
