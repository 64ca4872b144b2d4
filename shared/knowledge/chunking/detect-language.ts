import { detectAll } from 'tinyld';
import { languageByFunctionWords } from './function-words.js';

/** How much of a text is looked at, in UTF-16 code units. */
const sampleChars = 1_200;
const minLetters = 8;
const scriptShare = 0.2;

/** Scripts that are used for one language, or nearly so. */
const scripts: [RegExp, string][] = [
  [/\p{Script=Hangul}/gu, 'ko'],
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/gu, 'ja'],
  [/\p{Script=Thai}/gu, 'th'],
  [/\p{Script=Hebrew}/gu, 'he'],
  [/\p{Script=Greek}/gu, 'el'],
];

/**
 * The language of a text as its ISO 639-1 code, or null when it cannot be told: the text is short, mixed, or made
 * of names and numbers. Latin letters are judged by function words: statistics of letters, as tinyld has them,
 * took one in twenty English abstracts, full of Latin terms, for another language, and lists of changes for Turkmen.
 */
export function detectLanguage(text: string): string | null {
  const sample = text.slice(0, sampleChars);
  const letters = countOf(sample, /\p{L}/gu);
  if (letters < minLetters) return null;
  for (const [script, language] of scripts) if (countOf(sample, script) > letters * scriptShare) return language;
  const words = sample.toLowerCase().match(/\p{L}+/gu) ?? [];
  if (countOf(sample, /\p{Script=Latin}/gu) > letters / 2) return languageByFunctionWords(words);
  // Bars and digits between the words of a table would count as letters of other scripts.
  return detectAll(words.join(' '))[0]?.lang ?? null;
}

function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
