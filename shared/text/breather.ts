/**
 * Work of many steps that would hold up a process: awaited between two of them, this lets everything else go on, such as
 * the renewal of leases, but not more often than every `everyMs` milliseconds.
 */
export function createBreather(everyMs: number): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < everyMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    last = performance.now();
  };
}
