import * as Y from 'yjs';
import type { TextChange } from './diff-text.js';
import { contentOf } from './log.js';

/** Whether somebody else has deleted part of what an edit deletes: both had something to put in its place. */
export const deletesDeleted = (doc: Y.Doc, update: Uint8Array): boolean =>
  deletedBy(doc, update).some(({ deleted }) => deleted);

/**
 * Whether there is nothing left that taking an edit back could be about: what it put in is gone, or the places are from
 * which it took something. The text of before would be there twice, or in the middle of nothing.
 *
 * @param base the document that the edit was made from.
 * @param doc the document as it is.
 */
export function isOvertaken(base: Y.Doc, doc: Y.Doc, { changes, undo }: { changes: TextChange[]; undo: Uint8Array }) {
  const put = deletedBy(doc, undo);
  if (put.length > 0) return put.every(({ deleted }) => deleted);
  return changes.some(({ at, remove }) => areDeleted(doc, besides(contentOf(base), at, remove)));
}

/** The characters before and behind a stretch, as far as there are any. */
export function besides(text: Y.Text, at: number, length = 0): Y.ID[] {
  const places = [at - 1, at + length].filter((place) => place >= 0 && place < text.length);
  return places.flatMap((place) => Y.createRelativePositionFromTypeIndex(text, place).item ?? []);
}

/** Whether all of something is deleted; of nothing it is not. */
export const areDeleted = ({ store }: Y.Doc, ids: Y.ID[]): boolean =>
  ids.length > 0 && ids.every((id) => Y.getItem(store, id).deleted);

/** What an update deletes, as it is in a document that has all of it. */
function deletedBy({ store }: Y.Doc, update: Uint8Array): { deleted: boolean }[] {
  const items: { deleted: boolean }[] = [];
  for (const [client, ranges] of Y.decodeUpdate(update).ds.clients) {
    for (const { clock, len } of ranges) {
      for (let at = clock; at < clock + len;) {
        const item = Y.getItem(store, Y.createID(client, at));
        items.push(item);
        at = item.id.clock + item.length;
      }
    }
  }
  return items;
}
