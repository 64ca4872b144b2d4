/** Decimals that a 32-bit float near 1 has; more would only make the request longer. */
const precision = 1e8;

/** A vector as JSON carries it: half as long as with the digits that a 64-bit float would need. */
export function toNumbers(vector: Float32Array): number[] {
  const numbers: number[] = [];
  for (const value of vector) numbers.push(Math.round(value * precision) / precision);
  return numbers;
}
