import * as Y from 'yjs';

/** Finds out at the first sync what a Y.Doc that was kept holds and the server lacks. */
export type KeptEdits = {
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
    received(updates) {
      const copy = server;
      copy?.transact(() => {
        for (const update of updates) Y.applyUpdate(copy, update);
      });
    },
    take() {
      if (!server) return null;
      const update = Y.encodeStateAsUpdate(doc, Y.encodeStateVector(server));
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
