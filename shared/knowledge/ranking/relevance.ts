import { passageTerms, queryWords } from '../../text/terms.js';

/** In how many passages of a sample each term is. */
export type TermSample = { passages: number; counts: ReadonlyMap<string, number> };

/** As if so many passages more had been looked at that have none of the terms: a small store makes no word common. */
const assumedPassages = 100;

/**
 * How much of what a question asks a passage has to have in common with it, and of how many rare words at most: a long
 * question says much beside what it asks. Measured on Cranfield and MED: of the relevant passages among the first eight
 * 93 and 90 % are kept, of those that are found for the questions of the other collection 7 and 14 %.
 */
const share = 0.35;
const maxWords = 5;

/** Words with which people ask and answer each other, rather than what they ask about. */
const askingWords = new Set(
  `say says said tell tells know explain describe please give show find look search mean means want need like help
  hello hi hey thank thanks ok okay yes sorry good great nice
  claude thing anything something everything someone anyone somebody anybody`.split(/\s+/),
);

/** Counts in how many of the texts each term is. */
export function sampleTerms(texts: readonly string[]): TermSample {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const term of new Set(passageTerms(text))) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  return { passages: texts.length, counts };
}

/**
 * Whether a passage has enough words in common with a question to be about the same thing. Any word in common is not:
 * most passages have one. A rare word counts for more than a common one, as in BM25; unlike a BM25 score what is asked
 * for here does not depend on how long the question is.
 */
export function sharesWords(question: string, texts: readonly string[], sample: TermSample): boolean {
  const own = new Set(texts.flatMap(passageTerms));
  let asked = 0;
  let shared = 0;
  for (const forms of meantWords(question)) {
    const weight = rarity(Math.max(...forms.map((form) => sample.counts.get(form) ?? 0)), sample);
    asked += weight;
    if (forms.some((form) => own.has(form))) shared += weight;
  }
  return shared > 0 && shared >= share * Math.min(asked, maxWords * rarity(0, sample));
}

const meantWords = (question: string): string[][] =>
  queryWords(question).filter((forms) => !forms.some((form) => askingWords.has(form)));

function rarity(count: number, { passages }: TermSample): number {
  const all = passages + assumedPassages;
  return Math.log(1 + (all - count + 0.5) / (count + 0.5));
}

/** So many standard deviations above what texts on other matters have in common with a question. */
const deviations = 3;

/**
 * Whether a similarity says more than that both are texts. Models differ too much for a fixed limit: some give 0.7 to
 * any two texts, others 0.1.
 *
 * @param others similarities of the same question to texts that have nothing to do with it.
 */
export function standsOut(similarity: number, others: readonly number[]): boolean {
  const mean = others.reduce((sum, value) => sum + value, 0) / others.length;
  const variance = others.reduce((sum, value) => sum + (value - mean) ** 2, 0) / others.length;
  return similarity > mean + deviations * Math.sqrt(variance);
}
