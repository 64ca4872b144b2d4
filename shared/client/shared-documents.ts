import type { Connection } from './connection.js';

/** How many providers of each document speak through a connection. */
const counts = new WeakMap<object, Map<string, number>>();

/** One of the providers of a document on one connection. */
export type Share = {
  /** Hands to the others on this connection what the server sends to other connections only. */
  tell(name: 'document:update' | 'document:awareness', payload: object): void;
  /** Whether any provider of the document is left. */
  isOpen(): boolean;
  /** @returns whether it was the last: the server knows connections, and lets one leave for all. */
  release(): boolean;
};

export function shareDocument(connection: Pick<Connection, 'emit'>, documentId: string): Share {
  const open = counts.get(connection) ?? new Map<string, number>();
  counts.set(connection, open);
  const count = (): number => open.get(documentId) ?? 0;
  open.set(documentId, count() + 1);
  return {
    tell(name, payload) {
      if (count() > 1) connection.emit('event', { name, payload: { documentId, ...payload } });
    },
    isOpen: () => count() > 0,
    release() {
      const left = count() - 1;
      if (left > 0) open.set(documentId, left);
      else open.delete(documentId);
      return left <= 0;
    },
  };
}
