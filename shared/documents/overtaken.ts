import * as Y from 'yjs';
import type { TextChange } from './diff-text.js';
import { contentOf } from './log.js';
import type { TextIndex } from './text-index.js';

/** Whether somebody else has deleted part of what an edit deletes: both had something to put in its place. */
export const deletesDeleted = (doc: Y.Doc, update: Uint8Array): boolean =>
  deletedBy(doc, update).some(({ deleted }) => deleted);

/**
 * Whether there is nothing left that taking an edit back could be about: what it put in is gone; or, where it only deleted,
 * the places are from which it took something, or somebody has put that back by hand. The text of before would be there
 * twice, or in the middle of nothing.
 *
 * @param base the text that the edit was made from.
 * @param doc the document as it is.
 */
export function isOvertaken(
  base: TextIndex,
  doc: Y.Doc,
  { changes, undo }: { changes: TextChange[]; undo: Uint8Array },
): boolean {
  const put = deletedBy(doc, undo);
  if (put.length > 0) return put.every(({ deleted }) => deleted);
  return changes.some(
    (change) => areDeleted(doc, besides(base, change.at, change.remove)) || isPutBack(base, doc, change),
  );
}

/**
 * Whether what was deleted stands in its place again. Where it begins and ends like what is beside it ("thre[e is gon]e")
 * it may have been put back a few characters from where it was, and has not been by those that are there anyway.
 */
function isPutBack({ content, idAt }: TextIndex, doc: Y.Doc, { at, remove }: TextChange): boolean {
  let start = at;
  let end = at + remove;
  while (start > 0 && content[start - 1] === content[start - 1 + remove]) start -= 1;
  while (end < content.length && content[end] === content[end - remove]) end += 1;
  return textBetween(doc, idAt(start - 1), idAt(end)).includes(content.slice(start, end));
}

/** What stands between two characters that were there, whether or not they still are; null is an end of the text. */
function textBetween(doc: Y.Doc, left: Y.ID | null, right: Y.ID | null): string {
  const last = right && Y.getItem(doc.store, right);
  let item = left ? Y.getItem(doc.store, left) : contentOf(doc)._start;
  let from = left && item ? left.clock + 1 - item.id.clock : 0;
  let between = '';
  for (; item; item = item.right, from = 0) {
    const to = right && item === last ? right.clock - item.id.clock : item.length;
    if (!item.deleted && item.content instanceof Y.ContentString) between += item.content.str.slice(from, to);
    if (item === last) break;
  }
  return between;
}

/** The characters before and behind a stretch, as far as there are any. */
export const besides = ({ idAt }: TextIndex, at: number, length = 0): Y.ID[] =>
  [at - 1, at + length].flatMap((place) => idAt(place) ?? []);

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
