import * as Y from 'yjs';
import type { TextChange } from './diff-text.js';
import { contentOf } from './log.js';
import type { TextIndex } from './text-index.js';

/** Whether somebody else has deleted part of what an edit deletes: both had something to put in its place. */
export const deletesDeleted = (doc: Y.Doc, update: Uint8Array): boolean =>
  deletedBy(doc, update).some(({ deleted }) => deleted);

/**
 * Whether an edit cannot be taken back any more: what it put in is gone; or, where it only deleted, the places are from
 * which it took something; or somebody has put that back by hand. The text of before would be there twice, or in the
 * middle of nothing.
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
  if (put.length > 0) {
    const own = new Set(put.map(({ id }) => id.client));
    return put.every(({ deleted }) => deleted) || changes.some((change) => isPutBackAlone(base, doc, change, own));
  }
  return changes.some(
    (change) => areDeleted(doc, besides(base, change.at, change.remove)) || isPutBack(base, doc, change),
  );
}

/** Whether what was deleted stands in its place again. */
function isPutBack(base: TextIndex, doc: Y.Doc, change: TextChange): boolean {
  const { removed, between } = placeOf(base, doc, change);
  return between.some((text) => text.includes(removed));
}

/** What is shorter comes by chance in what people write: "." did in the sentence after one that lost it. */
const chanceLength = 16;

/**
 * The same for an edit that also put something in, which is left to be taken back. That does not count, since it may hold
 * what was deleted; and short words only where nothing else was written.
 *
 * @param own the client ids under which it was put in.
 */
function isPutBackAlone(base: TextIndex, doc: Y.Doc, change: TextChange, own: Set<number>): boolean {
  if (change.remove === 0) return false;
  const { removed, between } = placeOf(base, doc, change, own);
  return between.some(
    (text) => text.includes(removed) && (change.remove >= chanceLength || text.trim() === removed.trim()),
  );
}

/**
 * What was deleted, and what stands in its place. Where it begins and ends like what is beside it ("thre[e is gon]e") it
 * may have been put back a few characters from where it was, and has not been by those that are there anyway.
 */
function placeOf(
  { content, idAt }: TextIndex,
  doc: Y.Doc,
  { at, remove }: TextChange,
  without?: Set<number>,
): { removed: string; between: string[] } {
  let start = at;
  let end = at + remove;
  while (start > 0 && content[start - 1] === content[start - 1 + remove]) start -= 1;
  while (end < content.length && content[end] === content[end - remove]) end += 1;
  return { removed: content.slice(start, end), between: textsBetween(doc, idAt(start - 1), idAt(end), without) };
}

/**
 * What stands between two characters that were there, whether or not they still are; null is an end of the text.
 *
 * @returns what is left between the text of the clients in `without`.
 */
function textsBetween(doc: Y.Doc, left: Y.ID | null, right: Y.ID | null, without = new Set<number>()): string[] {
  const last = right && Y.getItem(doc.store, right);
  let item = left ? Y.getItem(doc.store, left) : contentOf(doc)._start;
  let from = left && item ? left.clock + 1 - item.id.clock : 0;
  const texts: string[] = [];
  let between = '';
  for (; item; item = item.right, from = 0) {
    const to = right && item === last ? right.clock - item.id.clock : item.length;
    if (!item.deleted && item.content instanceof Y.ContentString) {
      if (!without.has(item.id.client)) between += item.content.str.slice(from, to);
      else if (between !== '') {
        texts.push(between);
        between = '';
      }
    }
    if (item === last) break;
  }
  return [...texts, between];
}

/** The characters before and behind a stretch, as far as there are any. */
export const besides = ({ idAt }: TextIndex, at: number, length = 0): Y.ID[] =>
  [at - 1, at + length].flatMap((place) => idAt(place) ?? []);

/** Whether all of something is deleted; of nothing it is not. */
export const areDeleted = ({ store }: Y.Doc, ids: Y.ID[]): boolean =>
  ids.length > 0 && ids.every((id) => Y.getItem(store, id).deleted);

/** What an update deletes, as it is in a document that has all of it. */
function deletedBy({ store }: Y.Doc, update: Uint8Array): Y.Item[] {
  const items: Y.Item[] = [];
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
