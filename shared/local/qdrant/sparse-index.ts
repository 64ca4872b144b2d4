/** A sparse vector as the API carries it. */
export type Sparse = { indices: number[]; values: number[] };

type Postings = { slots: Uint32Array; weights: Float32Array; length: number };

/** Sparse vectors by slot, turned round: for each term the slots that have it. */
export type SparseIndex = {
  /** `vector` replaces what the slot had; without it the slot has none. */
  set(slot: number, vector: Sparse | undefined): void;
  get(slot: number): Sparse | undefined;
  /**
   * Slots that share a term with the query and their dot products with it, each term weighted by how rare it is
   * among the vectors here: what Qdrant does where a vector has the modifier `idf`.
   */
  scores(query: Sparse, slots: number, idf: boolean): { found: number[]; scores: Float64Array };
};

export function createSparseIndex(): SparseIndex {
  const vectors = new Map<number, Sparse>();
  const terms = new Map<number, Postings>();

  function remove(slot: number): void {
    for (const term of vectors.get(slot)?.indices ?? []) {
      const postings = terms.get(term);
      if (!postings) continue;
      // Their order means nothing: the last one takes the place.
      const at = postings.slots.subarray(0, postings.length).indexOf(slot);
      postings.length -= 1;
      postings.slots[at] = postings.slots[postings.length] as number;
      postings.weights[at] = postings.weights[postings.length] as number;
      if (postings.length === 0) terms.delete(term);
    }
    vectors.delete(slot);
  }

  function add(slot: number, term: number, weight: number): void {
    const postings = terms.get(term) ?? { slots: new Uint32Array(1), weights: new Float32Array(1), length: 0 };
    terms.set(term, postings);
    if (postings.length === postings.slots.length) {
      postings.slots = grown(postings.slots, new Uint32Array(postings.length * 2));
      postings.weights = grown(postings.weights, new Float32Array(postings.length * 2));
    }
    postings.slots[postings.length] = slot;
    postings.weights[postings.length] = weight;
    postings.length += 1;
  }

  return {
    set(slot, vector) {
      remove(slot);
      if (!vector) return;
      vectors.set(slot, vector);
      vector.indices.forEach((term, index) => add(slot, term, vector.values[index] as number));
    },
    get: (slot) => vectors.get(slot),
    scores(query, slots, idf) {
      const scores = new Float64Array(slots);
      const seen = new Uint8Array(slots);
      const found: number[] = [];
      query.indices.forEach((term, index) => {
        const postings = terms.get(term);
        if (!postings) return;
        const weight = (query.values[index] as number) * (idf ? rarity(vectors.size, postings.length) : 1);
        for (let at = 0; at < postings.length; at += 1) {
          const slot = postings.slots[at] as number;
          scores[slot] = (scores[slot] as number) + weight * (postings.weights[at] as number);
          if (seen[slot]) continue;
          seen[slot] = 1;
          found.push(slot);
        }
      });
      return { found, scores };
    },
  };
}

/** Inverse document frequency as Qdrant computes it. */
function rarity(all: number, having: number): number {
  return Math.log((all - having + 0.5) / (having + 0.5) + 1);
}

function grown<T extends Uint32Array | Float32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
