import * as Y from 'yjs';
import type { TextChange } from './diff-text.js';
import { type Edit, editHere } from './edit.js';
import type { Hunk } from './hunks.js';
import { contentOf } from './log.js';
import { areDeleted, besides, deletesDeleted } from './overtaken.js';
import { indexText } from './text-index.js';

/** An accepted hunk: the update that does it, and the one that takes it back. */
export type AcceptedHunk = { hunk: number; edit: Edit; undo: Edit };

/** What became of hunks that were to be accepted: those whose text is not there any more are stale, and changed nothing. */
export type Accepting = { accepted: AcceptedHunk[]; stale: number[] };

/**
 * Makes the updates that accept hunks, and with each the one that takes it back. Both say what they delete by its
 * identity and not by its place: applied at any time, they leave what others typed before, meanwhile and after.
 *
 * @param base the document that the suggestion was made from.
 * @param current the document as it is; it is used up.
 * @param pause waited for before each: of a long text one takes some milliseconds, and there may be hundreds.
 */
export async function acceptHunks(
  base: Uint8Array,
  current: Y.Doc,
  hunks: { hunk: number; changes: Hunk['changes'] }[],
  pause: () => Promise<unknown>,
): Promise<Accepting> {
  const offline = new Y.Doc();
  Y.applyUpdate(offline, base);
  const text = indexText(contentOf(offline));
  const accepted: AcceptedHunk[] = [];
  const stale: number[] = [];
  // From the end, so that the places of those before stay those of the base.
  for (const { hunk, changes } of [...hunks].sort((one, other) => other.hunk - one.hunk)) {
    await pause();
    // Each under an id of its own, so that none waits for one that is not made.
    offline.clientID = new Y.Doc().clientID;
    const places = changes.filter(({ remove }) => remove === 0).map(({ at }) => besides(text, at));
    const edit = editHere(offline, changes);
    if (!edit) continue;
    if (deletesDeleted(current, edit.update) || places.some((ids) => areDeleted(current, ids))) {
      stale.push(hunk);
      continue;
    }
    const inverse = applyAndInvert(current, edit);
    // As well: one can be taken back without the others.
    current.clientID = new Y.Doc().clientID;
    const undo = editHere(current, inverse) ?? { update: nothing, clientId: current.clientID };
    accepted.push({ hunk, edit, undo });
  }
  return { accepted, stale };
}

/** An update that changes nothing. */
const nothing = new Uint8Array([0, 0]);

/**
 * Applies an edit and tells what would take it back: of what it deletes that only which was still there. Not by the delta
 * of Yjs, which takes 50 ms of 40,000 pieces, for each of some hundred hunks.
 */
function applyAndInvert(doc: Y.Doc, { update, clientId }: Edit): TextChange[] {
  const text = contentOf(doc);
  const inverse: TextChange[] = [];
  // Within the transaction what was deleted still has its text.
  const observe = (event: Y.YTextEvent): void => {
    let at = 0;
    let open: TextChange | null = null;
    for (let item = text._start; item !== null; item = item.right) {
      const put = item.id.client === clientId;
      const taken = item.deleted && event.deletes(item);
      if (!item.countable || (item.deleted && !taken)) continue;
      if (!put && !taken) open = null;
      else if (!open) inverse.push((open = { at, remove: 0, insert: '' }));
      if (open && put) open.remove += item.length;
      if (open && taken && item.content instanceof Y.ContentString) open.insert += item.content.str;
      if (!taken) at += item.length;
    }
  };
  text.observe(observe);
  Y.applyUpdate(doc, update);
  text.unobserve(observe);
  return inverse;
}
