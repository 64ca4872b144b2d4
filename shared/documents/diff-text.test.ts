import { expect, test } from 'vitest';
import { applyChanges, diffText } from './diff-text.js';

/** In milliseconds, on a machine that is busy. Without a bound it would be minutes. */
const moments = 20_000;

const words = ['alpha ', 'beta\n', '😀', 'ü', '\n', 'x', 'gamma delta '];
const pick = (index: number): string => words[Math.abs(Math.imul(index, 2_654_435_761) >> 8) % words.length] ?? '';
const make = (seed: number, length: number): string[] =>
  Array.from({ length }, (_, index) => pick(seed * 1_000 + index));

test('the changes lead from one text to the other, and halve no character', () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const old = make(seed, 60);
    const before = old.join('');
    const after = [...old.slice(0, 20), ...make(seed + 1, seed % 30), ...old.slice(20 + (seed % 17))].join('');
    const changes = diffText(before, after);
    expect(applyChanges(before, changes)).toBe(after);
    for (const { at, remove, insert } of changes) {
      const pieces = [before.slice(0, at), before.slice(at, at + remove), insert];
      for (const piece of pieces) expect(Buffer.from(piece).toString()).toBe(piece);
    }
  }
});

test('one emoji becomes another as a whole', () => {
  expect(diffText('a😀b', 'a😁b')).toEqual([{ at: 1, remove: 2, insert: '😁' }]);
});

test('emoji of which halves are alike stay whole, whatever stands beside them', () => {
  const emoji = ['👍🏽', '😀', '🏽', '😁', 'x', ' ', '\n'];
  let seed = 1;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const text = (): string => Array.from({ length: next(25) }, () => emoji[next(emoji.length)]).join('');
  for (let round = 0; round < 3_000; round += 1) {
    const [before, after] = [text(), text()];
    const changes = diffText(before, after);
    expect(applyChanges(before, changes)).toBe(after);
    for (const { at, remove, insert } of changes) {
      for (const piece of [before.slice(0, at), before.slice(at, at + remove), insert]) {
        expect(piece).not.toMatch(/\p{Cs}/u);
      }
    }
  }
});

test('large texts that differ everywhere take moments', { timeout: 120_000 }, () => {
  const lines = (prefix: string, count: number): string =>
    Array.from({ length: count }, (_, line) => `${prefix} ${line * 7}\n`).join('');
  const pairs: [string, string][] = [
    [lines('old line', 20_000), lines('new line', 20_000)],
    ['x'.repeat(900_000), 'y'.repeat(900_000)],
    ['ab'.repeat(100_000), 'ba'.repeat(100_000)],
    [lines('same', 20_000), lines('same', 20_000).replace('same 700\n', 'changed 700\n')],
  ];
  for (const [before, after] of pairs) {
    const began = performance.now();
    const changes = diffText(before, after);
    expect(performance.now() - began).toBeLessThan(moments);
    expect(applyChanges(before, changes) === after).toBe(true);
  }
});

test('a long text that was rewritten paragraph by paragraph takes moments too', { timeout: 60_000 }, () => {
  const letters = 'abcdefghijklmnopqrstuvwxyz     ';
  let seed = 1;
  const letter = (): string => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return letters[(seed >>> 8) % letters.length] ?? '';
  };
  const paragraphs = (count: number): string =>
    Array.from({ length: count }, () => `${Array.from({ length: 1_000 }, letter).join('')}\n\n`).join('');
  const [before, after] = [paragraphs(900), paragraphs(900)];
  const began = performance.now();
  const changes = diffText(before, after);
  expect(performance.now() - began).toBeLessThan(moments);
  expect(applyChanges(before, changes) === after).toBe(true);
  // Each paragraph for itself: the empty lines between them are the same.
  expect(changes.length).toBeGreaterThanOrEqual(900);
});

test('of a long text only the lines that differ are changed, at both of its ends too', () => {
  const line = (index: number): string => `line ${index}\n`;
  const before = Array.from({ length: 40_000 }, (_, index) => line(index)).join('');
  const after = before.replace(line(3), 'line three\n').replace(line(20_000), '').replace(line(39_990), 'the end\n');
  const changes = diffText(before, after);
  expect(applyChanges(before, changes) === after).toBe(true);
  expect(changes.reduce((sum, { remove }) => sum + remove, 0)).toBeLessThan(40);
});
