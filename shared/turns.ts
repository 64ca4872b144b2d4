/** Work of one kind that is done one after the other. */
export type Turns = {
  /** Runs `work` when it is the turn of `who`; resolves, or rejects, as the work does. */
  take<T>(who: string, work: () => Promise<T>): Promise<T>;
};

/** Those who wait come in turns: who has asked for much makes another wait for one piece of it. */
export function createTurns(): Turns {
  /** The one whose turn it is next is the first. */
  const waiting = new Map<string, (() => Promise<void>)[]>();
  let running = false;

  async function run(): Promise<void> {
    running = true;
    for (let next = waiting.entries().next().value; next; next = waiting.entries().next().value) {
      const [who, all] = next;
      await all.shift()?.();
      // Behind those who came meanwhile.
      waiting.delete(who);
      if (all.length > 0) waiting.set(who, all);
    }
    running = false;
  }

  return {
    take: (who, work) =>
      new Promise((resolve, reject) => {
        const all = waiting.get(who) ?? [];
        all.push(() => work().then(resolve, reject));
        waiting.set(who, all);
        if (!running) void run();
      }),
  };
}
