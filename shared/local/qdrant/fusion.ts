import type { FusionQuery } from './requests.js';

/** A slot with its score; lists of them are ordered, best first. */
export type Scored = { slot: number; score: number };

/** What Qdrant takes for the constant of reciprocal ranks when a query names none. */
const defaultRankConstant = 2;

/** Puts the hits of several searches together as Qdrant does; unordered. */
export function fuse(lists: Scored[][], query: FusionQuery): Scored[] {
  if ('formula' in query) {
    const { formula, defaults } = query;
    const scores = lists.map((list) => new Map(list.map(({ slot, score }) => [slot, score])));
    const slots = new Set(lists.flatMap((list) => list.map(({ slot }) => slot)));
    return [...slots].map((slot) => {
      const terms = formula.sum.map(({ mult: [factor, variable] }) => {
        const score = scores[variable === '$score' ? 0 : Number(variable.slice(7, -1))]?.get(slot);
        return factor * (score ?? defaults[variable] ?? 0);
      });
      return { slot, score: terms.reduce((sum, term) => sum + term, 0) };
    });
  }
  if ('fusion' in query && query.fusion === 'dbsf') return sum(lists.map(scaled));
  const { k, weights } = 'rrf' in query ? query.rrf : {};
  return sum(lists.map((list, index) => ranked(list, k ?? defaultRankConstant, weights?.[index] ?? 1)));
}

/** Scores by rank alone. A weight stretches the ranks; without one it is 1 / (k + rank), ranks from 0. */
function ranked(list: Scored[], k: number, weight: number): Scored[] {
  return list.map(({ slot }, rank) => ({ slot, score: 1 / ((rank + 1) / weight + k - 1) }));
}

/** Scores from 0 to 1 over three standard deviations on both sides of their mean. */
function scaled(list: Scored[]): Scored[] {
  const mean = list.reduce((sum, { score }) => sum + score, 0) / list.length;
  const squares = list.reduce((sum, { score }) => sum + (score - mean) ** 2, 0);
  const deviation = list.length > 1 ? Math.sqrt(squares / (list.length - 1)) : 0;
  if (deviation === 0) return list.map(({ slot }) => ({ slot, score: 0.5 }));
  return list.map(({ slot, score }) => ({ slot, score: (score - (mean - 3 * deviation)) / (6 * deviation) }));
}

function sum(lists: Scored[][]): Scored[] {
  const scores = new Map<number, number>();
  for (const { slot, score } of lists.flat()) scores.set(slot, (scores.get(slot) ?? 0) + score);
  return [...scores].map(([slot, score]) => ({ slot, score }));
}
