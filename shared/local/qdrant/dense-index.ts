/**
 * Points in a block. Numbers of one position stand together, so that a search reads what it needs in one sweep. No
 * power of two: a vector is written across all positions, and those would share one place in the processor's cache.
 */
const blockSize = 1_000;

/**
 * Vectors of one size, by slot. A search goes through all of them, position by position of the query: positions
 * that are zero in the query cost nothing, which the vectors of feature hashing mostly are.
 */
export type DenseIndex = {
  set(slot: number, vector: ArrayLike<number>): void;
  get(slot: number): Float32Array;
  /** The dot product of the query with each slot below `slots`; what slots without a vector get means nothing. */
  scores(query: Float32Array, slots: number): Float64Array;
};

export function createDenseIndex(size: number): DenseIndex {
  const blocks: Float32Array[] = [];
  const blockOf = (slot: number): Float32Array => {
    const index = Math.floor(slot / blockSize);
    while (blocks.length <= index) blocks.push(new Float32Array(size * blockSize));
    return blocks[index] as Float32Array;
  };

  return {
    set(slot, vector) {
      const block = blockOf(slot);
      for (let position = 0, at = slot % blockSize; position < size; position += 1, at += blockSize) {
        block[at] = vector[position] as number;
      }
    },
    get(slot) {
      const block = blockOf(slot);
      return Float32Array.from(
        { length: size },
        (_, position) => block[position * blockSize + (slot % blockSize)] as number,
      );
    },
    scores(query, slots) {
      const scores = new Float64Array(Math.ceil(slots / blockSize) * blockSize);
      const positions = [...query.keys()].filter((position) => query[position] !== 0);
      for (let index = 0; index * blockSize < slots; index += 1) {
        addBlock(scores, index * blockSize, blockOf(index * blockSize), query, positions);
      }
      return scores;
    },
  };
}

/** Four positions in one sweep: the scores are read and written a quarter as often. */
function addBlock(
  scores: Float64Array,
  first: number,
  block: Float32Array,
  query: Float32Array,
  positions: number[],
): void {
  for (let index = 0; index < positions.length; index += 4) {
    // Past the end position 0 is added with the weight 0.
    const [a = 0, b = 0, c = 0, d = 0] = positions.slice(index, index + 4);
    const left = positions.length - index;
    const wa = query[a] as number;
    const wb = left > 1 ? (query[b] as number) : 0;
    const wc = left > 2 ? (query[c] as number) : 0;
    const wd = left > 3 ? (query[d] as number) : 0;
    const [atA, atB, atC, atD] = [a * blockSize, b * blockSize, c * blockSize, d * blockSize];
    for (let point = 0; point < blockSize; point += 1) {
      scores[first + point] =
        (scores[first + point] as number) +
        wa * (block[atA + point] as number) +
        wb * (block[atB + point] as number) +
        wc * (block[atC + point] as number) +
        wd * (block[atD + point] as number);
    }
  }
}
