import type { Connection } from './connection.js';

/** How many providers of each document speak through a connection. */
const counts = new WeakMap<object, Map<string, number>>();

/** One of the providers of a document on one connection. */
export type Share = {
  /** Hands to the others on this connection what the server sends to other connections only. */
  tell(name: 'document:update' | 'document:awareness', payload: object): void;
  /** Leaves the document when no provider of it is left: the server knows connections, and lets one leave for all. */
  leave(): void;
  /** Call once, when the provider is closed. */
  release(): void;
};

export function shareDocument(connection: Pick<Connection, 'emit' | 'send'>, documentId: string): Share {
  const open = counts.get(connection) ?? new Map<string, number>();
  counts.set(connection, open);
  const count = (): number => open.get(documentId) ?? 0;
  let own = 1;
  const leave = (): void => {
    if (count() === 0) connection.send('document:leave', { documentId });
  };
  open.set(documentId, count() + 1);
  return {
    tell(name, payload) {
      if (count() > own) connection.emit('event', { name, payload: { documentId, ...payload } });
    },
    leave,
    release() {
      own = 0;
      if (count() > 1) open.set(documentId, count() - 1);
      else open.delete(documentId);
      leave();
    },
  };
}
