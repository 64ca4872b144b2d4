import { describe, expect, test } from 'vitest';
import { hash32 } from './hash.js';
import { isEnglish, passageTerms, queryTerms } from './terms.js';
import { bigrams, fold, tokenize } from './tokens.js';

describe('tokens', () => {
  test.each([
    ['Füße ÉLAN ＡＢＣ ﬁx', 'fusse elan abc fix'],
    ['Ἀθῆναι λόγος', 'αθηναι λογοσ'],
    ['ががが', 'ががが'],
    ['한국어', '한국어'],
    ['İstanbul', 'istanbul'],
  ])('%s folds to %s', (text, folded) => expect(fold(text)).toBe(folded));

  test('words, numbers and versions stay whole, punctuation goes', () => {
    expect(tokenize("don't two-dimensional 3.14 v1.19.0 a_b e.g.").words).toEqual([
      'don',
      't',
      'two',
      'dimensional',
      '3.14',
      '1.19.0',
      'a',
      'b',
      'e',
      'g',
    ]);
  });

  test('scripts without spaces become pairs of characters, next to words of others', () => {
    const { words, runs } = tokenize('東京タワーへPDFを送る');
    expect(words).toEqual(['pdf']);
    expect(runs).toEqual(['東京タワーへ', 'を送る']);
    expect(bigrams('東京タ')).toEqual(['東京', '京タ']);
    expect(bigrams('猫')).toEqual(['猫']);
  });

  test('a word without an end is cut', () => {
    expect(tokenize('a'.repeat(100_000)).words).toEqual(['a'.repeat(64)]);
  });
});

describe('terms', () => {
  test('English is stemmed and loses its function words', () => {
    expect(passageTerms('The wings of the aircraft were heated while flying')).toEqual([
      'wing',
      'aircraft',
      'heat',
      'fly',
    ]);
  });

  test('another language keeps its words', () => {
    const german = 'Die Meinungen der Mitglieder sind bei der Abstimmung nicht gefragt';
    expect(passageTerms(german)).toContain('meinungen');
    expect(queryTerms('Meinungen der Mitglieder')).toContain('meinungen');
    expect(passageTerms(german)).toEqual(expect.arrayContaining(['meinungen', 'abstimmung', 'gefragt']));
  });

  test.each([
    ['the quick brown fox is over the lazy dog', true],
    ['Aerodynamic heating, supersonic flow', true],
    ['Le chat est sur la table avec les souris', false],
    ['El perro no come la carne con los gatos', false],
    ['De kat zit op het dak van een huis', false],
    ['Кошка сидит на крыше дома', false],
    ['価格は二千円です', false],
  ])('%s: English %s', (text, english) => expect(isEnglish(tokenize(text))).toBe(english));

  test('a query finds stemmed and unstemmed passages', () => {
    expect(queryTerms('heated wings')).toEqual(['heat', 'heated', 'wing', 'wings']);
    expect(queryTerms('to be or not to be')).not.toEqual([]);
  });

  test.each([
    ['230 V', '230V'],
    ['230V', '230 V'],
    ['16 A', '16A'],
    ['wie viel 5 kg', '5kg'],
  ])('%s finds %s', (query, passage) => {
    expect(passageTerms(`${passage} pump`).filter((term) => queryTerms(query).includes(term))).not.toEqual([]);
  });

  test('a number alone is not looked for where letters are no unit', () => {
    expect(queryTerms('2nd 9cfe7 iso9001')).toEqual(['2nd', '9cfe7', 'iso9001']);
  });

  test('hashes never change: stored vectors depend on them', () => {
    expect([hash32(''), hash32('wing'), hash32('東京')]).toMatchInlineSnapshot(`
      [
        2872998923,
        636715935,
        745305631,
      ]
    `);
  });
});
