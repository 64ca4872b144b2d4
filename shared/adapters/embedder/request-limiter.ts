import { setTimeout as wait } from 'node:timers/promises';

/** Lets requests through: so many at a time, so many in a minute, and none while the service asked for a pause. */
export type RequestLimiter = {
  /**
   * Runs `work` when its turn comes.
   *
   * @param urgent before all that wait: somebody waits for it for a few seconds only.
   * @throws the signal's reason when aborted before that.
   */
  pass<T>(work: () => Promise<T>, signal: AbortSignal, urgent?: boolean): Promise<T>;
  /** Keeps everything back for so many milliseconds from now: one refusal speaks for all requests. */
  pause(ms: number): void;
};

export function createRequestLimiter(limits: { concurrency: number; requestsPerMinute: number }): RequestLimiter {
  const intervalMs = limits.requestsPerMinute > 0 ? 60_000 / limits.requestsPerMinute : 0;
  const waiting: (() => void)[] = [];
  let running = 0;
  let openAt = 0;

  async function enter(signal: AbortSignal, urgent: boolean): Promise<void> {
    signal.throwIfAborted();
    if (running < limits.concurrency) {
      running += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal.reason as Error);
      };
      if (urgent) waiting.unshift(go);
      else waiting.push(go);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** The place goes straight to the next one: counted down and up again, a newcomer could slip in between. */
  function leave(): void {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }

  return {
    async pass(work, signal, urgent = false) {
      await enter(signal, urgent);
      try {
        for (let ms = openAt - Date.now(); ms > 0; ms = openAt - Date.now()) {
          await wait(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
        }
        openAt = Math.max(openAt, Date.now() + intervalMs);
        return await work();
      } finally {
        leave();
      }
    },
    pause(ms) {
      openAt = Math.max(openAt, Date.now() + ms);
    },
  };
}
