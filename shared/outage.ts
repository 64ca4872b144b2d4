import type { Logger } from './logger.js';

/** What a process knows of a service that its work waits for, or does without, while it is away. */
export type Outage = {
  /** Whether the service was found away and has not been found back since. */
  isOn(): boolean;
  /**
   * With what it was found away a moment ago, and for how many milliseconds it is not to be asked again; null when it
   * may be. Once that time has passed, the first who looks is let through to ask for all: the others are to leave it alone
   * for as long again.
   */
  recent(): { error: Error; leftMs: number } | null;
  /**
   * @param level `error` when waiting does not help and an operator has to do something. Such an answer comes at once, and
   * may be about one request alone, so that the next one asks again unless `rememberErrors` is set.
   * @param forMs how long it is believed in, if not as long as usual.
   */
  found(error: Error, level?: 'warn' | 'error', forMs?: number): void;
  /** It answers, if not yet what it was found away with: everybody may ask. */
  doubt(): void;
  /** It has done what it was asked at `askedAt`, of `performance.now()`: if that was after it was found away, it is back. */
  over(askedAt: number): void;
};

type Settings = {
  /** How long an outage is believed in without asking again, in milliseconds. */
  rememberMs: number;
  /** Whether what an operator has to mend is believed in as long: it is not about one request. */
  rememberErrors?: boolean;
  /** The two lines that the log has of an outage. */
  begun: string;
  ended: string;
};

type Known = { error: Error; level: 'warn' | 'error'; foundAt: number; until: number | null; forMs: number };

export function createOutage(logger: Logger, { rememberMs, rememberErrors = false, begun, ended }: Settings): Outage {
  let known: Known | null = null;

  return {
    isOn: () => known !== null,
    recent() {
      if (!known?.until) return null;
      const now = performance.now();
      if (now < known.until) return { error: known.error, leftMs: known.until - now };
      known.until = now + known.forMs;
      return null;
    },
    found(error, level = 'warn', forMs = rememberMs) {
      const before = known?.level;
      if (before !== level && before !== 'error') logger[level]({ err: error }, begun);
      const foundAt = performance.now();
      const until = level === 'error' && !rememberErrors ? null : foundAt + forMs;
      known = { error, level: before === 'error' ? before : level, foundAt, until, forMs };
    },
    doubt() {
      if (known) known.until = null;
    },
    over(askedAt) {
      if (!known || askedAt < known.foundAt) return;
      known = null;
      logger.info(ended);
    },
  };
}
