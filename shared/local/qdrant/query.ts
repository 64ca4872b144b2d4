import { wrongInput } from './errors.js';
import { type Mask, matching } from './filter.js';
import { fuse, type Scored } from './fusion.js';
import type { Points } from './points.js';
import type { Filter, Nearest, Prefetch, QueryRequest } from './requests.js';

/** The hits of a query, best first: of one vector, or of several searches put together. */
export function runQuery(points: Points, request: QueryRequest): Scored[] {
  const { prefetch, query, using, filter, limit } = request;
  if (prefetch && prefetch.length > 0) {
    if (!query || !isFusion(query)) throw wrongInput('with a prefetch, the stand-in knows only fusions and formulas');
    const maskOf = masksOf(points);
    const lists = prefetch.map((part) => runPrefetch(points, part, filter, maskOf));
    return best(points, fuse(lists, query), limit);
  }
  if (query && isFusion(query)) throw wrongInput('a fusion needs a prefetch');
  if (!query) return firstById(points, filter, limit);
  if (!using) throw wrongInput('Not existing vector name error: ');
  return nearest(points, { query, using, limit }, matching(points, filter));
}

/** Qdrant hands the filter of a whole query down to its parts. */
function runPrefetch(points: Points, part: Prefetch, outer: Filter | null | undefined, maskOf: MaskOf): Scored[] {
  const filter = both(part.filter, outer);
  if ('using' in part) return nearest(points, part, maskOf(filter));
  const lists = part.prefetch.map((inner) => runPrefetch(points, inner, filter, maskOf));
  return best(points, fuse(lists, part.query), part.limit);
}

type MaskOf = (filter: Filter | null | undefined) => Mask;

/** The parts of a query most often have the same filter. */
function masksOf(points: Points): MaskOf {
  const masks = new Map<string, Mask>();
  return (filter) => {
    const key = JSON.stringify(filter ?? null);
    const mask = masks.get(key) ?? matching(points, filter);
    masks.set(key, mask);
    return mask;
  };
}

function nearest(points: Points, { query, using, limit }: Omit<Nearest, 'filter'>, mask: Mask): Scored[] {
  if (Array.isArray(query)) {
    const { index, size } = points.dense(using);
    if (query.length !== size) {
      throw wrongInput(`Vector dimension error: expected dim: ${size}, got ${query.length}`);
    }
    const scores = index.scores(toUnitLength(query), points.slots);
    return best(points, candidates(mask, mask.keys(), scores), limit);
  }
  const { index, idf } = points.sparse(using);
  const { found, scores } = index.scores(query, points.slots, idf);
  return best(points, candidates(mask, found, scores), limit);
}

function* candidates(mask: Uint8Array, slots: Iterable<number>, scores: Float64Array): Generator<Scored> {
  for (const slot of slots) if (mask[slot] === 1) yield { slot, score: scores[slot] as number };
}

/** The `limit` best, best first; equal ones in the order of their ids. */
function best(points: Points, scored: Iterable<Scored>, limit: number): Scored[] {
  const kept: Scored[] = [];
  const isBetter = (a: Scored, b: Scored): boolean =>
    a.score !== b.score ? a.score > b.score : (points.idOf(a.slot) ?? '') < (points.idOf(b.slot) ?? '');
  for (const candidate of scored) {
    const last = kept[limit - 1];
    if (last && !isBetter(candidate, last)) continue;
    let low = 0;
    for (let high = kept.length; low < high;) {
      const middle = (low + high) >> 1;
      if (isBetter(candidate, kept[middle] as Scored)) high = middle;
      else low = middle + 1;
    }
    kept.splice(low, 0, candidate);
    if (kept.length > limit) kept.pop();
  }
  return kept.map(({ slot, score }) => ({ slot, score: Math.fround(score) }));
}

function firstById(points: Points, filter: Filter | null | undefined, limit: number): Scored[] {
  const mask = matching(points, filter);
  const slots = points.ids().map((id) => points.slotOf(id) as number);
  return slots
    .filter((slot) => mask[slot] === 1)
    .slice(0, limit)
    .map((slot) => ({ slot, score: 0 }));
}

function isFusion(
  query: NonNullable<QueryRequest['query']>,
): query is Extract<typeof query, object> & Parameters<typeof fuse>[1] {
  return 'fusion' in query || 'rrf' in query || 'formula' in query;
}

function both(one: Filter | null | undefined, other: Filter | null | undefined): Filter | null | undefined {
  return one && other ? { must: [one, other] } : (one ?? other);
}

/** As Qdrant does with every vector that is compared by the cosine. */
export function toUnitLength(vector: number[]): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const factor = sum === 0 ? 1 : 1 / Math.sqrt(sum);
  const scaled = new Float32Array(vector.length);
  for (let index = 0; index < vector.length; index += 1) scaled[index] = (vector[index] as number) * factor;
  return scaled;
}
