import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { craft } from '../../test/support/crafted-updates.js';
import { applyAll, contentOf, readWhileMerging } from './log.js';

/** Two people's letters in turn, which Yjs keeps apart. */
function interleaved(length: number): Uint8Array {
  const letters = Array.from({ length }, (_, at) => at);
  const left = (client: number, at: number) => ({ left: [client, at] as [number, number] });
  return craft([
    { client: 2, writes: letters.map((at) => (at === 0 ? { text: 'a' } : { ...left(2, at - 1), text: 'a' })) },
    { client: 3, writes: letters.slice(1).map((at) => ({ ...left(2, at - 1), right: [2, at], text: 'b' })) },
  ]);
}

test('a text that is read while it is merged is the same, and reading it makes the rest of the merge no slower', async () => {
  const doc = new Y.Doc();
  expect(readWhileMerging(doc)).toBe('');
  const editor = new Y.Doc();
  await applyAll(editor, [interleaved(16_000)]);
  editor.getText('content').delete(5, 3);
  await applyAll(doc, [Y.encodeStateAsUpdate(editor)]);
  const text = readWhileMerging(doc);
  expect(text).toBe(contentOf(editor).toString());
  editor.getText('content').format(100, 100, { bold: true });
  await applyAll(doc, [Y.encodeStateAsUpdate(editor)]);
  const ranges: [number, number][] = [[300, 15_600]];
  const deletions = [2, 3].map((client) => ({ client, ranges }));
  const began = performance.now();
  await applyAll(doc, [craft([], deletions)]);
  expect(performance.now() - began).toBeLessThan(4_000);
  expect(readWhileMerging(doc)).toBe(contentOf(doc).toString());
});
