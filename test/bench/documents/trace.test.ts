import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import * as Y from 'yjs';
import { readTrace } from './trace.js';

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-trace-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, trace: object): string {
  const file = path.join(folder, `${name}.json.gz`);
  writeFileSync(file, gzipSync(JSON.stringify(trace)));
  return file;
}

test('places of one who wrote alone are counted in UTF-16 units', () => {
  const txns = [{ patches: [[0, 0, 'a😀c']] }, { patches: [[2, 1, 'd']] }];
  const { name, patches } = readTrace(write('alone', { endContent: 'a😀d', txns }));
  expect(name).toBe('alone');
  expect(patches[1]).toEqual({ at: 3, remove: 1, insert: 'd' });
});

const atOnce = [
  { parents: [], agent: 0, patches: [[0, 0, 'one 😀 two']] },
  { parents: [0], agent: 1, patches: [[6, 3, 'three']] },
  { parents: [0], agent: 0, patches: [[0, 3, 'ONE']] },
  { parents: [2], agent: 0, patches: [[3, 0, '!']] },
  { parents: [1, 3], agent: 1, patches: [[0, 0, '> ']] },
];

test('what several wrote at once leads to the end text in whatever order it comes', () => {
  const steps = readTrace(write('at-once', { endContent: '> ONE! 😀 three', txns: atOnce })).steps?.() ?? [];
  expect(steps.map(({ agent }) => agent)).toEqual([0, 1, 0, 0, 1]);
  expect(steps[1]?.needs).toEqual([[1, 10]]);
  for (const order of [steps, [...steps].reverse()]) {
    const doc = new Y.Doc();
    for (const { update } of order) Y.applyUpdate(doc, update);
    expect(doc.getText('content').toString()).toBe('> ONE! 😀 three');
  }
});

test('a trace that contradicts itself is refused', () => {
  expect(() => readTrace(write('wrong', { endContent: 'other', txns: atOnce })).steps?.()).toThrow('end text');
  const forked = [...atOnce, { parents: [0], agent: 0, patches: [[0, 0, 'x']] }];
  expect(() => readTrace(write('forked', { endContent: '', txns: forked })).steps?.()).toThrow('less than they had');
});
