import { detectAll } from 'tinyld';

/** How much of a text is looked at, in UTF-16 code units. */
const sampleChars = 1_200;
const minWords = 4;
/** The least probability, as tinyld gives it, and how far it must be ahead of the next. */
const minAccuracy = 0.25;
const minLead = 0.08;

/** Words that are frequent in English and mean nothing in its neighbours. */
const englishWords = new Set(
  (
    'the and of to with from that this these those are were was which for by have has had been their they it is be ' +
    'not at as or but what when where how who will would can could should you your we our about into than then there'
  ).split(' '),
);
const minEnglishShare = 0.15;
const minEnglishKinds = 2;

/** Scripts that are used for one language, or nearly so. */
const scripts: [RegExp, string][] = [
  [/\p{Script=Hangul}/gu, 'ko'],
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/gu, 'ja'],
  [/\p{Script=Thai}/gu, 'th'],
  [/\p{Script=Hebrew}/gu, 'he'],
  [/\p{Script=Greek}/gu, 'el'],
];

/**
 * The language of a text as its ISO 639-1 code, or null when the text is too short or too mixed to tell.
 * English is found by its small words: that is a hundred times as fast as statistics, and scientific English,
 * full of Latin and numbers, is not taken for Latin.
 */
export function detectLanguage(text: string): string | null {
  const sample = text.slice(0, sampleChars);
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  if (letters < 8) return null;
  for (const [script, language] of scripts) {
    if ((sample.match(script)?.length ?? 0) > letters * 0.2) return language;
  }
  const words = sample.toLowerCase().match(/\p{L}+/gu) ?? [];
  const english = words.filter((word) => englishWords.has(word));
  if (english.length >= words.length * minEnglishShare && new Set(english).size >= minEnglishKinds) return 'en';
  const latin = /^[\p{Script=Latin}\P{L}]*$/u.test(sample);
  if (latin && words.length < minWords) return null;
  // Bars and digits between the words of a table would count as letters of other scripts.
  const [first, second] = detectAll(words.join(' '));
  if (!first) return null;
  // Other scripts leave few languages to choose from.
  if (!latin) return first.lang;
  return first.accuracy >= minAccuracy && first.accuracy - (second?.accuracy ?? 0) >= minLead ? first.lang : null;
}
