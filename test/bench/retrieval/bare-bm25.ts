import { stemmer } from 'stemmer';
import type { JudgedCollection } from './judged-collection.js';

const k1 = 1.2;
const b = 0.75;

/**
 * BM25 as in any textbook, with Porter's stems and in memory: what a collection gives to words alone. Made without
 * anything of the product.
 */
export function bareBm25({ documents }: Pick<JudgedCollection, 'documents'>): (query: string) => string[] {
  const postings = new Map<string, Map<number, number>>();
  const lengths = documents.map(({ title, text }, place) => {
    const terms = termsOf(textOf({ title, text }));
    for (const term of terms) {
      const of = postings.get(term) ?? new Map<number, number>();
      postings.set(term, of.set(place, (of.get(place) ?? 0) + 1));
    }
    return terms.length;
  });
  const average = lengths.reduce((sum, length) => sum + length, 0) / documents.length;
  return (query) => {
    const scores = new Map<number, number>();
    for (const term of new Set(termsOf(query))) {
      const found = postings.get(term) ?? new Map<number, number>();
      const rarity = Math.log(1 + (documents.length - found.size + 0.5) / (found.size + 0.5));
      for (const [place, count] of found) {
        const norm = k1 * (1 - b + (b * (lengths[place] ?? 0)) / average);
        scores.set(place, (scores.get(place) ?? 0) + (rarity * count * (k1 + 1)) / (count + norm));
      }
    }
    return [...scores]
      .sort(([, one], [, other]) => other - one)
      .slice(0, 100)
      .map(([place]) => documents[place]?.id ?? '');
  };
}

/** What of a document is searched: its title as well, unless the text begins with it. */
export function textOf({ title, text }: { title: string; text: string }): string {
  return title.trim() === '' || text.startsWith(title) ? text : `${title}\n\n${text}`;
}

const termsOf = (text: string): string[] => (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map(stemmer);
