import * as Y from 'yjs';
import { diffText, type TextChange } from './diff-text.js';
import { joinNearest } from './join-nearest.js';
import { maxPlaces } from './limits.js';
import { contentOf } from './log.js';

/** An edit as a Yjs update, and the client id under which it was made. */
export type Edit = { update: Uint8Array; clientId: number };

/** Makes changes in a document at hand. @returns null when there is nothing to change. */
export function editHere(doc: Y.Doc, changes: readonly TextChange[]): Edit | null {
  const updates: Uint8Array[] = [];
  const take = (update: Uint8Array): void => void updates.push(update);
  const text = contentOf(doc);
  doc.on('update', take);
  doc.transact(() => {
    // From the end, so that the places of those before stay right.
    for (const { at, remove, insert } of [...changes].reverse()) {
      // Text is put in front of what it replaces: behind it, it would land behind what others typed there meanwhile.
      if (insert !== '') text.insert(at, insert);
      if (remove > 0) text.delete(at + insert.length, remove);
    }
  });
  doc.off('update', take);
  const [update] = updates;
  return update ? { update, clientId: doc.clientID } : null;
}

/**
 * Makes `content` of a state, as somebody would who had the document as it was, was offline, and comes back now: the
 * update merges with whatever was typed since. What others wrote stays, and only what the editor saw is deleted.
 *
 * @returns null when it is that text already.
 */
export function rewriteOffline(state: Uint8Array, content: string, clientId: number): Edit | null {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, state);
  doc.clientID = clientId;
  return rewriteHere(doc, content);
}

/** The same on a document at hand, which is changed. */
export function rewriteHere(doc: Y.Doc, content: string): Edit | null {
  const before = contentOf(doc).toString();
  return editHere(doc, joinNearest(before, diffText(before, content), maxPlaces));
}
