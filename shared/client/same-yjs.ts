import * as Y from 'yjs';

/**
 * What is applied to a Y.Doc of another copy of Yjs is in it and never shown: the editor would be empty, and what is
 * typed there be saved.
 *
 * @throws TypeError
 */
export function requireSameYjs(doc: Y.Doc): void {
  if (doc instanceof Y.Doc) return;
  throw new TypeError('The Y.Doc is of another copy of Yjs than the provider; an application may load Yjs only once.');
}
