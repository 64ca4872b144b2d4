import { severalAtOnce } from '../several.js';
import type { JudgedCollection } from './judged-collection.js';

/** How good rankings are, averaged over the queries; both from 0 to 1. */
export type Quality = { ndcg10: number; recall100: number };

/** Has every query of the collection answered by `search`: ids of documents, each once, best first. */
export async function measureQuality(
  { queries, judgements }: JudgedCollection,
  search: (query: string) => Promise<string[]>,
  atOnce = 1,
): Promise<Quality> {
  const measured = await severalAtOnce(queries, atOnce, async ({ id, text }) => {
    const relevant = judgements.get(id) ?? new Map<string, number>();
    const ranking = await search(text);
    const gained = gain(ranking.slice(0, 10).map((found) => relevant.get(found) ?? 0));
    return {
      ndcg: gained / gain(ideal(relevant).slice(0, 10)),
      recall: ranking.slice(0, 100).filter((found) => relevant.has(found)).length / relevant.size,
    };
  });
  const average = (of: (one: (typeof measured)[number]) => number): number =>
    measured.reduce((sum, one) => sum + of(one), 0) / measured.length;
  return { ndcg10: average(({ ndcg }) => ndcg), recall100: average(({ recall }) => recall) };
}

function ideal(relevant: Map<string, number>): number[] {
  return [...relevant.values()].sort((a, b) => b - a);
}

/** The discounted cumulative gain of grades, with the grade itself as gain. */
function gain(grades: number[]): number {
  return grades.reduce((sum, grade, rank) => sum + grade / Math.log2(rank + 2), 0);
}
