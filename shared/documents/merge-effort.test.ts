import { expect, test } from 'vitest';
import * as Y from 'yjs';
import { craft, longText, tangled } from '../../test/support/crafted-updates.js';
import { limitMerging, TooTangled } from './merge-effort.js';

function merge(updates: Uint8Array[], steps: number): string {
  const doc = new Y.Doc();
  limitMerging({ left: steps }, doc, () =>
    doc.transact(() => {
      for (const update of updates) Y.applyUpdate(doc, update);
    }),
  );
  return doc.getText('content').toString();
}

test('an update that would take the square of its length is given up', () => {
  const updates = [longText(1, 3_000), tangled(2, 1, 3_000)];
  expect(() => merge(updates, 100_000)).toThrow(TooTangled);
  // Nothing is counted outside, and each time anew.
  expect(merge([longText(1, 30), tangled(2, 1, 30)], 100_000)).toHaveLength(60);
});

test('so is one that cuts a text in front of very much else', () => {
  const text = 'x'.repeat(40_000);
  const behind = Array.from({ length: 20_000 }, (_, at) => ({
    left: [1, 40_000 + at - 1] as [number, number],
    right: [1, 1 + (at % 5)] as [number, number],
    text: 'y',
  }));
  const ranges = Array.from({ length: 20_000 }, (_, at) => [2 * at, 1] as [number, number]);
  const updates = [craft([{ client: 1, writes: [{ text }, ...behind] }]), craft([], [{ client: 1, ranges }])];
  expect(() => merge(updates, 100_000)).toThrow(TooTangled);
});

test('and one that cuts up what was deleted', () => {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, longText(1, 40_000));
  Y.applyUpdate(doc, craft([], [{ client: 1, ranges: [[0, 40_000]] }]));
  const writes = Array.from({ length: 20_000 }, (_, at) => ({
    left: [1, 39_998 - 2 * at] as [number, number],
    right: [1, 39_999 - 2 * at] as [number, number],
    text: 'y',
  }));
  const cuts = craft([{ client: 2, writes }]);
  expect(() => limitMerging({ left: 100_000 }, doc, () => Y.applyUpdate(doc, cuts))).toThrow(TooTangled);
});

test('what several people type at one place at once takes few steps', () => {
  const docs = [1, 2, 3, 4, 5].map((clientID) => Object.assign(new Y.Doc(), { clientID }));
  const updates: Uint8Array[] = [];
  for (let round = 0; round < 40; round += 1) {
    const made = docs.map((doc) => {
      const from = Y.encodeStateVector(doc);
      for (const letter of 'hello ') doc.getText('content').insert(doc.getText('content').length >> 1, letter);
      return Y.encodeStateAsUpdate(doc, from);
    });
    for (const doc of docs) for (const update of made) Y.applyUpdate(doc, update);
    updates.push(...made);
  }
  expect(merge(updates, 10_000)).toBe(docs[0]?.getText('content').toString());
});
