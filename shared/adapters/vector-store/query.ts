import type { Schemas } from '@qdrant/js-client-rest';
import type { Fusion } from '../embedder/embedder.js';
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
  return {
    prefetch: [
      { ...denseHalf, limit: candidates },
      { ...sparseHalf, limit: candidates },
    ],
    query: toFusion(fusion),
    ...common,
  };
}

function toFusion(fusion: Fusion): Schemas['Query'] {
  if (fusion.by === 'distributions') return { fusion: 'dbsf' };
  if (fusion.by === 'ranks') return { rrf: { k: fusion.k } };
  return {
    formula: { sum: [{ mult: [fusion.dense, '$score[0]'] }, { mult: [fusion.sparse, '$score[1]'] }] },
    // Of a point that only the other half has found.
    defaults: { '$score[0]': 0, '$score[1]': 0 },
  };
}
