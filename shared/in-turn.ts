/** The newest of what is done one after the other, by its name. */
export type Queues = Map<string, Promise<unknown>>;

/** Runs `work` after everything that was begun before under the same name, however it ended. */
export async function inTurn<T>(queues: Queues, name: string, work: () => Promise<T>): Promise<T> {
  const before = queues.get(name);
  const turn = before ? before.catch(() => {}).then(work) : work();
  queues.set(name, turn);
  try {
    return await turn;
  } finally {
    if (queues.get(name) === turn) queues.delete(name);
  }
}
