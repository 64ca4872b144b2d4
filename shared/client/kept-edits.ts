import * as Y from 'yjs';

/** Finds out at the first sync what a Y.Doc that was kept holds and the server lacks. */
export type KeptEdits = {
  /** Whether the server has everything is not known yet: nothing has been compared. */
  readonly unsure: boolean;
  /** Updates that came from the server. */
  received(updates: readonly Uint8Array[]): void;
  /** Call when everything has been received; the first call tells, later ones find nothing. */
  take(): Uint8Array | null;
};

/** @param doc as it is before anything was received. */
export function createKeptEdits(doc: Y.Doc): KeptEdits {
  /** What the server has; not needed when nothing was kept. */
  let server = doc.store.clients.size > 0 ? new Y.Doc() : null;
  return {
    get unsure() {
      return server !== null;
    },
    received(updates) {
      const copy = server;
      copy?.transact(() => {
        for (const update of updates) Y.applyUpdate(copy, update);
      });
    },
    take() {
      if (!server) return null;
      const from = Y.encodeStateVector(server);
      const update = withoutPending(doc, () => Y.encodeStateAsUpdate(doc, from));
      let lacking = false;
      // It tells of what was new to it; all deletions come along always.
      server.on('update', () => (lacking = true));
      Y.applyUpdate(server, update);
      server.destroy();
      server = null;
      return lacking ? update : null;
    },
  };
}

/**
 * Yjs adds what waits for updates that never came. All of that is the server's already, and operations of other people
 * among it would make the server refuse the whole.
 */
function withoutPending<Result>({ store }: Y.Doc, encode: () => Result): Result {
  const { pendingStructs, pendingDs } = store;
  store.pendingStructs = null;
  store.pendingDs = null;
  try {
    return encode();
  } finally {
    store.pendingStructs = pendingStructs;
    store.pendingDs = pendingDs;
  }
}
