import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { acceptHunks } from './accept-hunks.js';
import { makeHunks } from './hunks.js';
import { contentOf } from './log.js';
import { isOvertaken } from './overtaken.js';
import { indexText } from './text-index.js';

/** Accepts the one hunk of a rewrite, lets somebody type, and asks whether it can still be taken back. */
async function isOver(before: string, after: string, type: (text: Y.Text) => void): Promise<boolean> {
  const base = new Y.Doc();
  contentOf(base).insert(0, before);
  const state = Y.encodeStateAsUpdate(base);
  const hunks = makeHunks(base, { start: 0, end: before.length }, after);
  expect(hunks).toHaveLength(1);
  const changes = hunks[0]?.changes ?? [];
  const current = new Y.Doc();
  Y.applyUpdate(current, state);
  const { accepted } = await acceptHunks(state, current, [{ hunk: 0, changes }], async () => {});
  const doc = new Y.Doc();
  for (const update of [state, ...accepted.map(({ edit }) => edit.update)]) Y.applyUpdate(doc, update);
  expect(contentOf(doc).toString()).toBe(after);
  type(contentOf(doc));
  return isOvertaken(indexText(contentOf(base)), doc, { changes, undo: accepted[0]?.undo.update ?? new Uint8Array() });
}

const nothing = (): void => {};

test('a word that was there twice, and is once, has not been put back by being there once', async () => {
  expect(await isOver('the the cat', 'the cat', nothing)).toBe(false);
  expect(await isOver('aaaa', 'aa', nothing)).toBe(false);
});

test('what was deleted is seen to be back wherever beside its place it was put', async () => {
  for (const at of [0, 4]) expect(await isOver('the the cat', 'the cat', (text) => text.insert(at, 'the '))).toBe(true);
  expect(await isOver('three is gone', 'three', (text) => text.insert(5, ' is gone'))).toBe(true);
  expect(await isOver('three is gone', 'three', (text) => text.insert(4, 'e is gon'))).toBe(true);
  expect(await isOver('one two', 'two', (text) => text.insert(0, 'and one '))).toBe(true);
});

test('what was typed there otherwise is no reason not to take a deletion back', async () => {
  expect(await isOver('three is gone', 'three', (text) => text.insert(5, '!'))).toBe(false);
  expect(await isOver('three is gone', 'three', (text) => text.insert(0, ' is gone '))).toBe(false);
});

test('what was deleted beside something new is seen to be back, and is not taken for what was put in', async () => {
  const [quick, jumps] = ['the quick brown fox', 'the brown fox jumps'];
  expect(await isOver(quick, jumps, nothing)).toBe(false);
  expect(await isOver(quick, jumps, (text) => text.insert(4, 'quick '))).toBe(true);
  expect(await isOver(quick, jumps, (text) => text.insert(3, ' quick'))).toBe(true);
  expect(await isOver(quick, jumps, (text) => text.insert(4, 'slow '))).toBe(false);
  expect(await isOver('an old line', 'an new line', (text) => text.insert(6, ' old'))).toBe(true);
  // So long that it is replaced as a whole, by something that holds it.
  const long = Array.from({ length: 500 }, (_, at) => `word ${at}`).join(' ');
  expect(await isOver(long, `He says: ${long}. Yes: ${long}.`, nothing)).toBe(false);
});

test('a short word that is written on by chance is no reason not to take an edit back', async () => {
  expect(await isOver('He went home.', 'She went home!', (text) => text.insert(14, ' And slept.'))).toBe(false);
});
