import { hash32 } from '../../text/hash.js';
import { meaningfulTerms } from '../../text/terms.js';
import { bigrams, tokenize } from '../../text/tokens.js';
import type { Embedder } from './embedder.js';
import { toUnitLength } from './unit-length.js';

/** Weight of all pieces of a word together, in proportion to the word itself. */
const piecesWeight = 0.7;
const pieceLengths = [3, 4, 5];
/** Between so many texts other work gets a turn: a text takes a fraction of a millisecond. */
const textsPerTurn = 32;

/**
 * The built-in embedder: words and pieces of words are hashed to positions of the vector, with a sign that makes
 * collisions cancel out on average. It needs no service and knows nothing of meaning: beyond BM25 it finds word
 * forms, compounds and misspellings. So BM25 leads and these vectors help: measured on Cranfield and MED, the sum
 * of the scores is better than either half, while fusing by ranks is worse than BM25 alone.
 *
 * @param size Numbers in a vector.
 */
export function createFeatureHashingEmbedder(size: number): Embedder {
  return {
    model: `feature-hashing-1/${size}`,
    size,
    fusion: { by: 'scores', dense: 10, sparse: 1 },
    async embed(texts, _kind, signal) {
      const vectors: Float32Array[] = [];
      for (const [index, text] of texts.entries()) {
        signal.throwIfAborted();
        if (index > 0 && index % textsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
        vectors.push(hashFeatures(text, size));
      }
      return vectors;
    },
  };
}

/** The vector of a text, of length 1; of a text without words, zeros. */
function hashFeatures(text: string, size: number): Float32Array {
  const vector = new Float32Array(size);
  const tokens = tokenize(text);
  for (const [term, count] of countTerms(meaningfulTerms(tokens))) {
    // A rarer word says more, and rarer words are longer: what stands in for a document frequency that nobody knows.
    const weight = (1 + Math.log(count)) * Math.min(1.6, 0.4 + term.length / 8);
    add(vector, term, weight);
    const pieces = piecesOf(`<${term}>`);
    for (const piece of pieces) add(vector, `#${piece}`, (weight * piecesWeight) / Math.sqrt(pieces.length));
  }
  for (const [term, count] of countTerms(tokens.runs.flatMap((run) => [...run, ...bigrams(run)]))) {
    add(vector, term, (1 + Math.log(count)) * (0.2 + 0.4 * [...term].length));
  }
  return toUnitLength(vector);
}

function add(vector: Float32Array, feature: string, weight: number): void {
  const hash = hash32(feature);
  const position = (hash >>> 1) % vector.length;
  vector[position] = (vector[position] as number) + (hash & 1 ? weight : -weight);
}

function piecesOf(word: string): string[] {
  return pieceLengths.flatMap((length) =>
    Array.from({ length: Math.max(0, word.length - length + 1) }, (_, start) => word.slice(start, start + length)),
  );
}

function countTerms(terms: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}
