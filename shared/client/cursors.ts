import {
  applyAwarenessUpdate,
  type Awareness,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from 'y-protocols/awareness';
import type { Connection } from './connection.js';
import { toBytes } from './merge-updates.js';

/** Shows the own cursor to the others, and theirs here. */
export type Cursors = {
  /** Shows the own state again: somebody is new here. */
  show(): void;
  take(update: Uint8Array): void;
  /** Nothing is known of the others while there is no connection. */
  forget(): void;
  close(): void;
};

type Options = { connection: Pick<Connection, 'send'>; documentId: string; awareness: Awareness; origin: object };

/** A cursor that moves is sent at once, and then this often, in milliseconds. */
const everyMs = 40;

export function createCursors({ connection, documentId, awareness, origin }: Options): Cursors {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;

  function send(): void {
    if (awareness.getLocalState() === null) return;
    const update = encodeAwarenessUpdate(awareness, [awareness.clientID]);
    connection.send('document:awareness', { documentId, update });
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
    take: (update) => applyAwarenessUpdate(awareness, toBytes(update), origin),
    forget() {
      const others = [...awareness.getStates().keys()].filter((client) => client !== awareness.clientID);
      removeAwarenessStates(awareness, others, origin);
    },
    close() {
      clearTimeout(timer);
      awareness.off('update', changed);
    },
  };
}
