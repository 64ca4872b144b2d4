import { expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { acceptHunks } from './accept-hunks.js';
import { makeHunks } from './hunks.js';
import { contentOf } from './log.js';

test('hundreds of hunks are accepted without holding up the process', async () => {
  const doc = new Y.Doc();
  const text = Array.from({ length: 400 }, (_, line) => `${line}\n`).join('');
  contentOf(doc).insert(0, text);
  const even = text.replaceAll(/^(\d*[02468])$/gm, '$1 is even');
  const hunks = makeHunks(doc, { start: 0, end: text.length }, even);
  expect(hunks).toHaveLength(200);
  const pause = vi.fn(() => new Promise((resolve) => setImmediate(resolve)));
  const base = Y.encodeStateAsUpdate(doc);
  const chosen = hunks.map(({ changes }, hunk) => ({ hunk, changes }));
  const { accepted } = await acceptHunks(base, doc, chosen, pause);
  expect(accepted).toHaveLength(200);
  expect(pause).toHaveBeenCalledTimes(200);
  const after = new Y.Doc();
  for (const update of [base, ...accepted.map(({ edit }) => edit.update)]) Y.applyUpdate(after, update);
  expect(contentOf(after).toString()).toBe(even);
  for (const { undo } of accepted) Y.applyUpdate(after, undo.update);
  expect(contentOf(after).toString()).toBe(text);
});
