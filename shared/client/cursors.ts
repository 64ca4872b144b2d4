import {
  applyAwarenessUpdate,
  type Awareness,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness';
import type { Connection } from './connection.js';
import { toBytes } from './merge-updates.js';
import type { Share } from './shared-documents.js';

/** Shows the own cursor to the others, and theirs here. */
export type Cursors = {
  /** Shows the own state anew after it may have been taken for gone. */
  appear(): void;
  /** Shows the own state again: somebody is new here. */
  show(): void;
  take(update: Uint8Array): void;
  /** Nothing is known of the others while there is no connection. */
  forget(): void;
  close(): void;
};

type Options = {
  connection: Pick<Connection, 'send'>;
  documentId: string;
  awareness: Awareness;
  origin: object;
  share: Pick<Share, 'tell'>;
};

/** A cursor that moves is sent at once, and then this often, in milliseconds. */
const everyMs = 40;

export function createCursors({ connection, documentId, awareness, origin, share }: Options): Cursors {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;

  /** @param states in which a client that is missing is gone. */
  function send(states = awareness.getStates()): void {
    if (awareness.getLocalState() === null) return;
    const update = encodeAwarenessUpdate(awareness, [awareness.clientID], states);
    connection.send('document:awareness', { documentId, update });
    share.tell('document:awareness', { update });
  }

  function show(): void {
    if (timer) {
      again = true;
      return;
    }
    send();
    timer = setTimeout(() => {
      timer = undefined;
      if (again) show();
      again = false;
    }, everyMs);
  }

  const changed = (changes: Record<'added' | 'updated' | 'removed', number[]>, from: unknown): void => {
    if (from === origin) return;
    if ([...changes.added, ...changes.updated].includes(awareness.clientID)) show();
  };
  awareness.on('update', changed);

  return {
    show,
    appear() {
      const state = awareness.getLocalState();
      // Under the next clock: the server has said of the last one that it is gone.
      if (state !== null) awareness.setLocalState(state);
    },
    take: (update) => applyAwarenessUpdate(awareness, toBytes(update), origin),
    forget() {
      const others = [...awareness.getStates().keys()].filter((client) => client !== awareness.clientID);
      removeAwarenessStates(awareness, others, origin);
      // Who comes back to us may not have moved, and shows what it did before, under the same clock.
      for (const client of others) awareness.meta.delete(client);
    },
    close() {
      clearTimeout(timer);
      send(new Map());
      awareness.off('update', changed);
    },
  };
}
