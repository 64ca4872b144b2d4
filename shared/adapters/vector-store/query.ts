import type { Schemas } from '@qdrant/js-client-rest';
import { toNumbers } from './numbers.js';
import type { HybridQuery } from './vector-store.js';

/** Names of the two vectors of a point. */
export const denseVector = 'dense';
export const sparseVector = 'bm25';

/** What the halves are asked for at least: fusing shorter lists loses what both have a little further down. */
const minCandidates = 100;

/** The request for a query, without the collection. */
export function toQueryRequest(query: HybridQuery): Schemas['QueryRequest'] {
  const { dense, fusion, filter, limit, fields } = query;
  const sparse = query.sparse && query.sparse.indices.length > 0 ? query.sparse : undefined;
  const common = { limit, with_payload: fields ? [...fields] : true };
  const denseHalf = dense && { query: toNumbers(dense), using: denseVector, filter };
  const sparseHalf = sparse && { query: sparse, using: sparseVector, filter };
  if (!denseHalf || !sparseHalf) return { ...(denseHalf ?? sparseHalf ?? { filter }), ...common };
  const candidates = query.candidates ?? Math.max(minCandidates, limit * 2);
  const halves = [
    { ...denseHalf, limit: candidates },
    { ...sparseHalf, limit: candidates },
  ];
  if (fusion.by === 'ranks') return { prefetch: halves, query: { rrf: { k: fusion.k } }, ...common };
  if (fusion.by === 'scores') return { prefetch: halves, query: weighted(fusion.dense, fusion.sparse, 0), ...common };
  // Qdrant's fusion of distributions knows no weights. Of one list it only scales the scores, which are weighed then.
  const scaled = halves.map((half) => ({ prefetch: [half], query: { fusion: 'dbsf' as const }, limit: candidates }));
  return { prefetch: scaled, query: weighted(fusion.dense, 1 - fusion.dense, absent), ...common };
}

/**
 * What a point counts in a half that has not found it, where 0.5 is the mean of those that were found and 1 three
 * standard deviations above it. With 0, to be among the candidates of the weaker half would count for more than
 * what the better one says.
 */
const absent = 0.25;

function weighted(dense: number, sparse: number, missing: number): Schemas['Query'] {
  return {
    formula: { sum: [{ mult: [dense, '$score[0]'] }, { mult: [sparse, '$score[1]'] }] },
    defaults: { '$score[0]': missing, '$score[1]': missing },
  };
}
