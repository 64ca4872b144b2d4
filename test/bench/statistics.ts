/**
 * The smallest of `values` that at least `percent` of them do not exceed; NaN when there are none.
 */
export function percentile(values: ArrayLike<number>, percent: number): number {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return NaN;
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}

/** The middle of `values`: one round that was disturbed does not move it. */
export const median = (values: ArrayLike<number>): number => percentile(values, 50);
