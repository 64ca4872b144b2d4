import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { MalformedUpdate } from './byte-reader.js';
import { craft } from '../../test/support/crafted-updates.js';
import { checkUpdate } from './check-update.js';

/** The same numbers in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Updates of three people who type, delete and format in one text. */
function realUpdates(next: (below: number) => number): Uint8Array[] {
  const updates: Uint8Array[] = [];
  const docs = [1, 2, 3].map((clientId) => {
    const doc = new Y.Doc();
    doc.clientID = clientId * 1_000_003;
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'other') updates.push(update);
    });
    return doc;
  });
  for (let count = 0; count < 150; count += 1) {
    const doc = docs[next(3)] as Y.Doc;
    const text = doc.getText('content');
    const at = next(text.length + 1);
    if (next(4) === 0 && text.length > at) text.delete(at, Math.min(3, text.length - at));
    else if (next(10) === 0 && text.length > at) text.format(at, 1, { bold: true });
    else text.insert(at, ['a', 'hello', 'ü', '😀', '\n'][next(5)] as string);
    if (next(5) === 0) for (const other of docs) Y.applyUpdate(other, Y.encodeStateAsUpdate(doc), 'other');
  }
  return [...updates, ...docs.map((doc) => Y.encodeStateAsUpdate(doc)), Y.mergeUpdates(updates.slice(0, 40))];
}

describe('an update', () => {
  test('of a text is understood, with whose it is', () => {
    for (let seed = 1; seed < 20; seed += 1) {
      for (const update of realUpdates(random(seed))) {
        const decoded = Y.decodeUpdate(update);
        const clients = new Set(decoded.structs.map((struct) => struct.id.client));
        const { ranges } = checkUpdate(update);
        expect(new Set(ranges.map(({ client }) => client))).toEqual(clients);
        for (const { client, from, to } of ranges) {
          const own = decoded.structs.filter((struct) => struct.id.client === client);
          expect(from).toBe(own[0]?.id.clock);
          expect(to).toBe((own.at(-1)?.id.clock ?? 0) + (own.at(-1)?.length ?? 0));
        }
      }
    }
  });

  test('tells what it needs: what it goes on with, stands beside and deletes, but for what it brings', () => {
    const doc = new Y.Doc();
    doc.clientID = 1;
    doc.getText('content').insert(0, 'abc');
    expect(checkUpdate(Y.encodeStateAsUpdate(doc)).needs).toEqual(new Map());
    const other = new Y.Doc();
    other.clientID = 2;
    Y.applyUpdate(other, Y.encodeStateAsUpdate(doc));
    const before = Y.encodeStateVector(other);
    other.getText('content').insert(2, 'x');
    other.getText('content').delete(0, 1);
    expect(checkUpdate(Y.encodeStateAsUpdate(other, before)).needs).toEqual(new Map([[1, 3]]));
    expect(checkUpdate(Y.encodeStateAsUpdate(other)).needs).toEqual(new Map());
    const later = Y.encodeStateVector(other);
    other.getText('content').insert(0, 'y');
    expect(checkUpdate(Y.encodeStateAsUpdate(other, later)).needs.get(2)).toBe(1);
    // One client, of which one range is deleted: from clock 5 of client 9.
    expect(checkUpdate(Uint8Array.from([0, 1, 9, 1, 5, 3])).needs).toEqual(new Map([[9, 8]]));
  });

  test('with a hole in it needs what belongs there', () => {
    const doc = new Y.Doc();
    doc.clientID = 1;
    const updates: Uint8Array[] = [];
    doc.on('update', (update: Uint8Array) => void updates.push(update));
    for (const letter of 'abc') doc.getText('content').insert(doc.getText('content').length, letter);
    const [first, , last] = updates as [Uint8Array, Uint8Array, Uint8Array];
    expect(checkUpdate(Y.mergeUpdates([first, last])).needs).toEqual(new Map([[1, 2]]));
  });

  test('whose operations wait for each other, in a circle, is refused', () => {
    // Two clients with one letter each, both to the right of that of the other.
    const circle = [2, 1, 1, 0, 0x84, 2, 0, 1, 0x61, 1, 2, 0, 0x84, 1, 0, 1, 0x62, 0];
    expect(() => checkUpdate(Uint8Array.from(circle))).toThrow('wait for each other');
    const doc = new Y.Doc();
    Y.applyUpdate(doc, Uint8Array.from(circle));
    expect(doc.store.pendingStructs).not.toBeNull();
  });

  test('in whatever order people wrote, needs nothing when it is a whole document', () => {
    for (let seed = 30; seed < 40; seed += 1) {
      const doc = new Y.Doc();
      for (const update of realUpdates(random(seed)).slice(0, -4)) Y.applyUpdate(doc, update);
      if (doc.store.pendingStructs) continue;
      expect(checkUpdate(Y.encodeStateAsUpdate(doc)).needs).toEqual(new Map());
    }
  });

  test('that holds anything but text is refused', () => {
    const wrong: ((doc: Y.Doc) => void)[] = [
      (doc) => doc.getText('other').insert(0, 'x'),
      (doc) => doc.getMap('content').set('a', 1),
      (doc) => doc.getArray('content').insert(0, [1]),
      (doc) => doc.getText('content').insertEmbed(0, { image: 'x' }),
      (doc) => doc.getMap('m').set('doc', new Y.Doc()),
      (doc) => doc.getArray('content').insert(0, [new Y.Text('nested')]),
    ];
    for (const change of wrong) {
      const doc = new Y.Doc();
      change(doc);
      expect(() => checkUpdate(Y.encodeStateAsUpdate(doc))).toThrow(MalformedUpdate);
    }
  });

  test('of the second encoding, cut off, or with something behind it is refused', () => {
    const doc = new Y.Doc();
    doc.getText('content').insert(0, 'hello world');
    doc.getText('content').delete(2, 3);
    const update = Y.encodeStateAsUpdate(doc);
    for (let length = 0; length < update.length; length += 1) {
      expect(() => checkUpdate(update.slice(0, length))).toThrow(MalformedUpdate);
    }
    expect(() => checkUpdate(Uint8Array.from([...update, 0]))).toThrow(MalformedUpdate);
    expect(() => checkUpdate(Y.encodeStateAsUpdateV2(doc))).toThrow(MalformedUpdate);
  });

  test('that deletes out of order, or is of more clients than anybody has, is refused', () => {
    const deleting = (ranges: [number, number][]) => checkUpdate(craft([], [{ client: 1, ranges }]));
    expect(
      deleting([
        [0, 2],
        [2, 1],
        [9, 1],
      ] as [number, number][]).needs,
    ).toEqual(new Map([[1, 10]]));
    expect(() =>
      deleting([
        [9, 1],
        [0, 2],
      ] as [number, number][]),
    ).toThrow('not in order');
    expect(() =>
      deleting([
        [0, 2],
        [1, 1],
      ] as [number, number][]),
    ).toThrow('not in order');
    const clients = (length: number) =>
      checkUpdate(craft(Array.from({ length }, (_, at) => ({ client: at + 1, writes: [{ text: 'x' }] }))));
    expect(clients(500).ranges).toHaveLength(500);
    expect(() => clients(501)).toThrow('more than 500 clients');
  });

  test('is of as many pieces as need a place of their own; what only goes on is hardly one', () => {
    const doc = new Y.Doc();
    doc.getText('content').insert(0, 'a long text. '.repeat(10_000));
    expect(checkUpdate(Y.encodeStateAsUpdate(doc)).pieces).toBe(1);
    doc.getText('content').delete(10, 5);
    doc.getText('content').insert(70, 'x');
    // The text in three, one of which is deleted, and what was put in.
    expect(checkUpdate(Y.encodeStateAsUpdate(doc)).pieces).toBeCloseTo(3, 0);
    const writes = Array.from({ length: 1_000 }, (_, at) => ({ left: [7, at] as [number, number], text: 'x' }));
    expect(checkUpdate(craft([{ client: 7, writes: [{ text: 'x' }, ...writes] }])).pieces).toBeCloseTo(26);
  });

  test('whose operations wait for each other, however often, is refused or understood in moments', () => {
    const turn = (other: number, at: number) => ({ left: [other, at] as [number, number], text: 'x' });
    const writes = Array.from({ length: 60_000 }, (_, at) => at);
    const update = craft([
      { client: 9, writes: writes.map((at) => (at === 0 ? { text: 'x' } : turn(8, at - 1))) },
      { client: 8, writes: writes.map((at) => turn(9, at)) },
    ]);
    expect(() => checkUpdate(update)).toThrow('too often');
  });

  test('however it was changed, is either refused or can be applied', () => {
    const next = random(7);
    let taken = 0;
    let refused = 0;
    for (let round = 0; round < 25; round += 1) {
      const updates = realUpdates(next);
      for (let count = 0; count < 60; count += 1) {
        const broken = Uint8Array.from(updates[next(updates.length)] as Uint8Array);
        for (let changes = 1 + next(4); changes > 0; changes -= 1) broken[next(broken.length)] = next(256);
        try {
          checkUpdate(broken);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedUpdate);
          refused += 1;
          continue;
        }
        taken += 1;
        const doc = new Y.Doc();
        for (const update of updates.slice(0, 150)) Y.applyUpdate(doc, update);
        Y.applyUpdate(doc, broken);
        Y.applyUpdate(new Y.Doc(), Y.encodeStateAsUpdate(doc));
        expect(typeof doc.getText('content').toString()).toBe('string');
      }
    }
    expect(taken).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  });

  test('of 6 MB of the smallest operations, or of noise, is read in moments', { timeout: 60_000 }, () => {
    const next = random(3);
    const noise = Uint8Array.from({ length: 1_000_000 }, () => next(256));
    const many = new Uint8Array(6_000_000);
    many.set([1, 0xff, 0xff, 0xff, 0x01, 5, 0]);
    many.fill(1, 7);
    for (const bytes of [noise, many]) {
      const began = performance.now();
      expect(() => checkUpdate(bytes)).toThrow(MalformedUpdate);
      // On a machine that is busy.
      expect(performance.now() - began).toBeLessThan(15_000);
    }
  });
});
