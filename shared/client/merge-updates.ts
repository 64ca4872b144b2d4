import * as Y from 'yjs';

/** More at once take disproportionately long: Yjs sorts all of them again for every operation. */
const atOnce = 32;

/** One update that does what the given ones do. In a tree, so that thousands of offline edits merge quickly. */
export function mergeUpdates(updates: readonly Uint8Array[]): Uint8Array {
  let level = [...updates];
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let at = 0; at < level.length; at += atOnce) next.push(Y.mergeUpdates(level.slice(at, at + atOnce)));
    level = next;
  }
  return level[0] ?? new Uint8Array([0, 0]);
}

/** Browsers give binary data as ArrayBuffer, Node as Buffer. */
export const toBytes = (value: Uint8Array | ArrayBuffer): Uint8Array =>
  value instanceof Uint8Array ? value : new Uint8Array(value);

/** The updates of a page of a document's log. */
export function unpack({ updates, lengths }: { updates: Uint8Array | ArrayBuffer; lengths: number[] }): Uint8Array[] {
  const bytes = toBytes(updates);
  let at = 0;
  return lengths.map((length) => bytes.subarray(at, (at += length)));
}
