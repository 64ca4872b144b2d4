import { describe, expect, test } from 'vitest';
import { sampleTerms, sharesWords, standsOut } from './relevance.js';

const filler = Array.from({ length: 60 }, (_, index) => `The new team works on project ${index} this week.`);
const vault = 'The okapi vault opens with the seventh brass key. Our team keeps it.';

describe('sharesWords', () => {
  const sample = sampleTerms([...filler, vault]);
  test.each([
    ['How does the okapi vault open?', true],
    ['okapi', true],
    ['Please tell me what the report says about the okapi', true],
    ['Vaults and brass keys', true],
    ['I am new here and prepare the week of my team: can somebody tell me how one opens the okapi vault?', true],
    ['xylophone quartz zebra', false],
    ['Does the team have a xylophone, a quartz or a zebra?', false],
    ['Which week is it?', false],
    ['What about that?', false],
    ['Hello', false],
    ['Thanks, that helps!', false],
    ['?!', false],
    ['', false],
  ])('%s: %s', (question, expected) => expect(sharesWords(question, [vault], sample)).toBe(expected));

  test('a word that every passage has says nothing, also in a small store', () => {
    expect(sharesWords('Where do we keep the zebra saddle of the choir?', [vault], sampleTerms([vault]))).toBe(false);
    expect(sharesWords('How does the vault open?', [vault], sampleTerms([vault]))).toBe(true);
    expect(sharesWords('vault', [vault], sampleTerms([]))).toBe(true);
  });

  test('words of scripts without spaces count by their pairs', () => {
    const tower = '東京タワーの高さは三百三十三メートルです';
    expect(sharesWords('東京タワーの高さは', [tower], sampleTerms([tower]))).toBe(true);
    expect(sharesWords('大阪城はいつ建てられたか', [tower], sampleTerms([tower]))).toBe(false);
  });
});

describe('standsOut', () => {
  test.each([
    ['a model that finds everything similar', [0.71, 0.73, 0.7, 0.74, 0.72], 0.85, 0.75],
    ['one that finds hardly anything similar', [0.05, 0.12, -0.02, 0.08, 0.1], 0.4, 0.15],
  ])('%s', (_name, others, related, unrelated) => {
    expect(standsOut(related, others)).toBe(true);
    expect(standsOut(unrelated, others)).toBe(false);
  });
});
