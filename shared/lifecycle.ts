import type { Logger } from './logger.js';

/** Something that has to be undone before the process ends. */
type Disposal = { name: string; dispose: () => Promise<unknown> | unknown };

/** What was opened, to be closed in reverse order; each step has a time limit of its own. */
export type Lifecycle = {
  /** Registers what undoes a step that was just done. */
  onClose(name: string, dispose: Disposal['dispose']): void;
  /** Undoes everything once, last first. A step that fails or hangs is logged, and the next one goes on. */
  close(): Promise<void>;
};

/** A step that hangs (a store that is away) must not hold the ones after it. */
const stepTimeoutMs = 5_000;

/** Makes an empty lifecycle. */
export function createLifecycle(logger: Logger): Lifecycle {
  const disposals: Disposal[] = [];
  let closing: Promise<void> | null = null;

  async function closeAll(): Promise<void> {
    for (let step = disposals.pop(); step; step = disposals.pop()) {
      const { name, dispose } = step;
      await withTimeout(Promise.resolve().then(dispose), stepTimeoutMs, name).catch((error: unknown) => {
        logger.warn({ err: error, step: name }, 'a step of the shutdown failed');
      });
    }
  }

  return {
    onClose: (name, dispose) => void disposals.push({ name, dispose }),
    close: () => (closing ??= closeAll()),
  };
}

/** Thrown by {@link withTimeout}. */
export class TimedOut extends Error {}

/** Rejects with {@link TimedOut} when `work` takes longer than `ms` milliseconds; the work itself is not stopped. */
export async function withTimeout<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimedOut(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Rejects with the signal's reason as soon as it is aborted; the work itself is not stopped. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let give = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    give = () => reject(signal.reason as Error);
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}

/**
 * Runs `stop` at the first SIGTERM or SIGINT and exits; a second signal exits at once, and so does a
 * shutdown that takes longer than `limitMs`: a supervisor would send SIGKILL anyway.
 */
export function exitOnSignal(logger: Logger, stop: () => Promise<void>, limitMs = 20_000): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) {
      logger.warn({ signal }, 'second signal: exiting at once');
      process.exit(130);
    }
    stopping = true;
    logger.info({ signal }, 'stopping');
    withTimeout(stop(), limitMs, 'shutdown').then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'the shutdown did not finish');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
