import { expect, test } from 'vitest';
import { hash32 } from '../../text/hash.js';
import { passageLength, passageVector, queryVector } from './bm25.js';
import { pointId } from './point.js';

const weightOf = (vector: { indices: number[]; values: number[] }, term: string): number =>
  vector.values[vector.indices.indexOf(hash32(term))] ?? 0;

test('a term counts more the more often it is there, less and less, and less in a long passage', () => {
  const [once, twice, often] = ['wing', 'wing wing', 'wing '.repeat(50)].map((text) =>
    weightOf(passageVector(`${text} ${'flow '.repeat(60 - text.split(/\s+/).filter(Boolean).length)}`, 60, ''), 'wing'),
  ) as [number, number, number];
  expect(once).toBeCloseTo(1);
  expect(twice).toBeGreaterThan(once);
  expect(twice - once).toBeLessThan(1);
  expect(often).toBeLessThan(2.5);
  expect(weightOf(passageVector('wing flow', 60, ''), 'wing')).toBeGreaterThan(
    weightOf(passageVector('wing flow', 1, ''), 'wing'),
  );
});

test('words of the title count in every passage, whatever its length, and in the text as well', () => {
  const short = passageVector('the flow', 5, 'Heated wings of aircraft');
  const long = passageVector('flow '.repeat(50), 5, 'Heated wings of aircraft');
  expect(['heat', 'wing', 'aircraft'].map((term) => weightOf(short, term))).toEqual([1, 1, 1]);
  expect(weightOf(long, 'wing')).toBe(1);
  expect(weightOf(short, 'flow')).toBe(weightOf(passageVector('the flow', 5, ''), 'flow'));
  const both = passageVector('a wing', 5, 'The wing');
  expect(weightOf(both, 'wing')).toBe(weightOf(passageVector('a wing', 5, ''), 'wing') + 1);
  expect(new Set(both.indices).size).toBe(both.indices.length);
});

test('terms are each there once, as Qdrant asks for', () => {
  const { indices, values } = passageVector('the wings of a wing on the winged wing', 5, '');
  expect(new Set(indices).size).toBe(indices.length);
  expect(values).toHaveLength(indices.length);
  expect(passageLength('the wings of a wing')).toBe(2);
  expect(queryVector('wings wings wing').indices).toHaveLength(2);
  expect(passageVector('', 5, '')).toEqual({ indices: [], values: [] });
});

test('a number written together with its unit is worth as much as both', () => {
  const query = queryVector('230 V');
  const scoreOf = (text: string): number => {
    const passage = passageVector(text, 5, '');
    return query.indices.reduce((sum, index, at) => {
      return sum + (query.values[at] ?? 0) * (passage.values[passage.indices.indexOf(index)] ?? 0);
    }, 0);
  };
  expect(scoreOf('the pump is rated 230V and draws water')).toBeGreaterThan(scoreOf('110 V'));
  expect(queryVector('2nd wing').values).toEqual([1, 1]);
});

test('the point of a passage has the same id every time', () => {
  const version = 'b9a1c2d3-0000-4000-8000-000000000001';
  expect(pointId(version, 7)).toBe(pointId(version, 7));
  expect(pointId(version, 7)).not.toBe(pointId(version, 8));
});
