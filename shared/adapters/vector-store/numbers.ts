/** Decimals that a 32-bit float near 1 has; more would only make the request longer. */
const precision = 1e8;

/** A vector as JSON carries it: half as long as with the digits that a 64-bit float would need. */
export function toNumbers(vector: Float32Array): number[] {
  return Array.from(vector, (value) => Math.round(value * precision) / precision);
}
