/** Now in epoch milliseconds with microseconds: comparable between the processes of one machine. */
export const epochMs = (): number => performance.timeOrigin + performance.now();

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

/**
 * Looks until `condition` holds.
 *
 * @throws when it does not within `limitMs`; `what` says what was waited for.
 */
export async function waitFor(
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
  what: string,
  everyMs = 20,
): Promise<void> {
  for (const deadline = Date.now() + limitMs; !(await condition());) {
    if (Date.now() > deadline) throw new Error(`Waited ${limitMs / 1000} s in vain for ${what}.`);
    await wait(everyMs);
  }
}
