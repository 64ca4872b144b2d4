import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';

/** Gives a Y.Doc and its cursor another client id, for one that somebody else has: with four billion of them it is rare. */
export function takeNewClientId(doc: Y.Doc, awareness: Awareness): void {
  const state = awareness.getLocalState();
  awareness.setLocalState(null);
  doc.clientID = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  awareness.clientID = doc.clientID;
  awareness.setLocalState(state);
}
