import type { Connection } from './connection.js';
import { mergeUpdates } from './merge-updates.js';

/** Local edits on their way to the server. */
export type Outbox = {
  add(update: Uint8Array): void;
  /** Sends what is there, or tries again what was refused. */
  flush(): void;
  isEmpty(): boolean;
  close(): void;
};

type Options = {
  connection: Pick<Connection, 'request'>;
  documentId: string;
  /** The server has an update, at this place. */
  onStored(seq: number, update: Uint8Array): void;
  /** There is something unsaved, or there is not any more. */
  onChange(): void;
  /** The server does not take it. It is kept, and sent again with the next flush. */
  onRefused(error: unknown): void;
};

/** What goes at once; the server takes more, but a slow line acknowledges less sooner. */
const maxBytes = 2 * 1024 * 1024;

/**
 * One message is under way at a time, and what is typed meanwhile goes together with the next: on a slow line there
 * are few large ones. An edit stays here until the server has acknowledged it, across reconnects.
 */
export function createOutbox({ connection, documentId, onStored, onChange, onRefused }: Options): Outbox {
  let waiting: Uint8Array[] = [];
  let sending = false;
  let scheduled = false;
  let closed = false;

  function take(): Uint8Array[] {
    let count = 0;
    for (let bytes = 0; count < waiting.length; count += 1) {
      bytes += waiting[count]?.byteLength ?? 0;
      if (count > 0 && bytes > maxBytes) break;
    }
    return waiting.slice(0, count);
  }

  async function send(): Promise<void> {
    while (waiting.length > 0 && !closed) {
      const batch = take();
      const update = mergeUpdates(batch);
      const { seq } = await connection.request('document:update', { documentId, update });
      waiting = waiting.slice(batch.length);
      onStored(seq, update);
    }
  }

  function flush(): void {
    if (sending || scheduled || closed) return;
    scheduled = true;
    // Edits of one turn of the event loop go together.
    queueMicrotask(() => {
      scheduled = false;
      sending = true;
      let refused = false;
      void send()
        .catch((error: unknown) => {
          refused = true;
          if (!closed) onRefused(error);
        })
        .finally(() => {
          sending = false;
          onChange();
          // Something may have come in after the last look.
          if (waiting.length > 0 && !refused) flush();
        });
    });
  }

  return {
    add(update) {
      waiting.push(update);
      onChange();
      flush();
    },
    flush,
    isEmpty: () => waiting.length === 0,
    close: () => void (closed = true),
  };
}
