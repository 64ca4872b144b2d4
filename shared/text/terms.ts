import { stemmer } from 'stemmer';
import { englishFunctionWords, foreignFunctionWords } from './function-words.js';
import { bigrams, type Tokens, tokenize } from './tokens.js';

/** Texts repeat their words: a stem found once is kept, for so many words. */
const maxKept = 50_000;
const kept = new Map<string, string>();
const onlyLatin = /^[a-z]+$/;

/** The stem of a folded English word by Porter's rules; what is not made of a to z stays as it is. */
function stem(word: string): string {
  if (word.length < 3 || !onlyLatin.test(word)) return word;
  const known = kept.get(word);
  if (known !== undefined) return known;
  const found = stemmer(word);
  if (kept.size >= maxKept) kept.clear();
  kept.set(word, found);
  return found;
}

/**
 * Whether words are English as far as their function words tell; English when nothing tells. Stemming another
 * language by English rules would merge words that have nothing to do with each other.
 */
export function isEnglish({ words, runs }: Tokens): boolean {
  let english = 0;
  let foreign = 0;
  let latin = 0;
  for (const word of words) {
    if (englishFunctionWords.has(word)) english += 1;
    else if (foreignFunctionWords.has(word)) foreign += 1;
    if (onlyLatin.test(word)) latin += 1;
  }
  const otherScripts = words.filter((word) => !onlyLatin.test(word) && /\p{L}/u.test(word)).length + runs.length;
  return foreign <= english && otherScripts <= latin;
}

/** The terms under which a passage is found, repeated as often as it has them. */
export function passageTerms(text: string): string[] {
  const { words, runs } = tokenize(text);
  return [...meaningfulTerms({ words, runs }), ...runs.flatMap(bigrams)];
}

/**
 * The terms that a query looks for, each once. A query is too short to tell its language: words are looked for as
 * they are, for passages that were not stemmed, and stemmed, for English ones.
 */
export function queryTerms(text: string): string[] {
  return [...new Set(queryWords(text).flat())];
}

/** What a query is about, word by word, each once and in every form in which a passage may have it. */
export function queryWords(text: string): string[][] {
  const { words, runs } = tokenize(text);
  const meaningful = words.filter((word) => !englishFunctionWords.has(word));
  const wanted = [...new Set(meaningful.length > 0 ? meaningful : words)];
  const pairs = [...new Set(runs.flatMap(bigrams))];
  const measures = spellingsOfMeasures(words);
  return [
    ...wanted.map((word) => [...new Set([stem(word), word, ...(measures.get(word) ?? [])])]),
    ...pairs.map((pair) => [pair]),
  ];
}

/** A number with its unit, as one word. In `2nd` the letters are none. */
const measure = /^(\d+)(?!(?:st|nd|rd|th)$)\p{L}{1,3}$/u;

/** For how many words a term of a query stands: `230V` is what others write as two. */
export const wordsIn = (term: string): number => (measure.test(term) ? 2 : 1);

/**
 * Of a number and its unit the other spelling: who looks for `230 V` means `230V` as well, which is one word in a
 * passage, and the other way round. Asked of the query alone: what is stored stays as it is.
 */
function spellingsOfMeasures(words: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const add = (word: string, spelling: string): void => void found.set(word, [...(found.get(word) ?? []), spelling]);
  for (const [index, word] of words.entries()) {
    const joined = word + (words[index + 1] ?? '');
    if (measure.exec(joined)?.[1] === word) [word, joined.slice(word.length)].forEach((part) => add(part, joined));
    const number = measure.exec(word)?.[1];
    if (number !== undefined) add(word, number);
  }
  return found;
}

/** Stems of English without its function words; of another language all words as they are. */
export function meaningfulTerms(tokens: Tokens): string[] {
  if (!isEnglish(tokens)) return tokens.words;
  return tokens.words.filter((word) => !englishFunctionWords.has(word)).map(stem);
}
