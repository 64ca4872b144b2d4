import { expect, test } from 'vitest';
import * as Y from 'yjs';
import type { Sql } from '../database.js';
import { createKnownClocks } from './known-clocks.js';

/** A log in memory, which counts how many rows were read of it. */
function makeLog() {
  const log: { documentId: string; seq: number; update: Buffer }[] = [];
  const reads: number[] = [];
  const sql = {
    query(_statement: unknown, values: unknown) {
      const [documentId, after] = (values ?? (_statement as { values: unknown[] }).values) as [string, number];
      const rows = log.filter((row) => row.documentId === documentId && row.seq > after);
      reads.push(rows.length);
      return Promise.resolve({ rows, rowCount: rows.length });
    },
  } as unknown as Sql;
  const add = (documentId: string, client: number, length: number): void => {
    const doc = new Y.Doc();
    doc.clientID = client;
    doc.getText('content').insert(0, 'x'.repeat(length));
    log.push({ documentId, seq: log.length + 1, update: Buffer.from(Y.encodeStateAsUpdate(doc)) });
  };
  return { sql, add, log, reads };
}

const needs = (client: number, to: number): Map<number, number> => new Map([[client, to]]);

test('what is stored is known when it was read, and is read once', async () => {
  const { sql, add, reads } = makeLog();
  const clocks = createKnownClocks(sql);
  add('one', 7, 3);
  expect(clocks.has('one', needs(7, 3))).toBe(false);
  await clocks.read('one');
  expect(clocks.has('one', needs(7, 3))).toBe(true);
  expect(clocks.has('one', needs(7, 4))).toBe(false);
  expect(clocks.has('two', needs(7, 1))).toBe(false);
  add('one', 8, 1);
  await clocks.read('one');
  expect(clocks.has('one', needs(8, 1))).toBe(true);
  expect(reads).toEqual([1, 1]);
});

test('what its room is told of is known without being read, and nothing is left out for it', async () => {
  const { sql, add, log, reads } = makeLog();
  const clocks = createKnownClocks(sql);
  const hear = (seq: number): void => clocks.hear(log[seq - 1] as (typeof log)[number]);
  for (const client of [7, 8, 9]) add('one', client, 3);
  hear(1);
  expect(clocks.has('one', needs(7, 3))).toBe(false);
  await clocks.read('one');
  add('one', 10, 1);
  hear(4);
  expect(clocks.has('one', needs(10, 1))).toBe(true);
  for (const client of [11, 12]) add('one', client, 1);
  hear(6);
  expect(clocks.has('one', needs(12, 1))).toBe(true);
  expect(clocks.has('one', needs(11, 1))).toBe(false);
  await clocks.read('one');
  expect(clocks.has('one', needs(11, 1))).toBe(true);
  expect(reads).toEqual([3, 2]);
});

test('what is on its way counts until it has failed, each time that it is on its way', async () => {
  const { sql } = makeLog();
  const clocks = createKnownClocks(sql);
  await clocks.read('one');
  const range = [{ client: 7, from: 0, to: 5 }];
  const [first, second] = [clocks.send('one', range), clocks.send('one', range)];
  const deletionOnly = clocks.send('one', []);
  first(false);
  expect(clocks.has('one', needs(7, 5))).toBe(true);
  second(false);
  expect(clocks.has('one', needs(7, 5))).toBe(false);
  const third = clocks.send('one', range);
  deletionOnly(true);
  expect(clocks.has('one', needs(7, 5))).toBe(true);
  third(true);
  expect(clocks.has('one', needs(7, 5))).toBe(true);
});

test('who asks while it is read gets what was stored meanwhile', async () => {
  const { sql, add } = makeLog();
  const clocks = createKnownClocks(sql);
  const early = clocks.read('one');
  add('one', 7, 1);
  await Promise.all([clocks.read('one'), clocks.read('one'), early]);
  expect(clocks.has('one', needs(7, 1))).toBe(true);
});

test('the documents that nobody asked for longest are forgotten, and read again', async () => {
  const { sql, add } = makeLog();
  const clocks = createKnownClocks(sql, 10);
  for (let n = 0; n < 10; n += 1) {
    add(`${n}`, 7, 1);
    await clocks.read(`${n}`);
    clocks.has('0', needs(7, 1));
  }
  expect(clocks.has('0', needs(7, 1))).toBe(true);
  expect(clocks.has('1', needs(7, 1))).toBe(false);
  await clocks.read('1');
  expect(clocks.has('1', needs(7, 1))).toBe(true);
});
