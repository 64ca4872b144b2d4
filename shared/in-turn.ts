import { setTimeout as wait } from 'node:timers/promises';

/** The newest of what is done one after the other, by its name. */
export type Queues = Map<string, Promise<unknown>>;

/**
 * Runs `work` after everything that was begun before under the same name, however it ended.
 *
 * @param patienceMs how long the one before is waited for; without it, to its end.
 */
export async function inTurn<T>(queues: Queues, name: string, work: () => Promise<T>, patienceMs?: number): Promise<T> {
  const before = queues.get(name);
  const turn = before ? ended(before, patienceMs).then(work) : work();
  queues.set(name, turn);
  try {
    return await turn;
  } finally {
    if (queues.get(name) === turn) queues.delete(name);
  }
}

async function ended(work: Promise<unknown>, withinMs?: number): Promise<void> {
  const timer = new AbortController();
  const limit = withinMs === undefined ? [] : [wait(withinMs, undefined, { signal: timer.signal })];
  await Promise.race([work, ...limit]).catch(() => {});
  timer.abort();
}
