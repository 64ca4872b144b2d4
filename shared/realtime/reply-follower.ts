import type { ClientEventAck, MessageView, ServerEventPayloads } from './events.js';

/** Where in a reply a reader is: `seq` is that of the last delta it has. */
export type FollowerPosition = { attempt: number; seq: number };

type Page = Omit<ClientEventAck<'reply:resume'>, 'ok'>;

type Options = {
  /** What the reader has already. */
  from?: FollowerPosition;
  /** Asks for what comes after a position; null when the reply cannot be read (any more). */
  resume(position: { attempt: number; after: number }): Promise<Page | null>;
  /** An attempt begins: what earlier ones said is void. */
  onAttempt(attempt: number): void;
  /** The next text; `position` is where the reader is with it. */
  onDelta(delta: string, position: FollowerPosition): void;
  /** How the reply was stored; `position` has the seq of the end itself, where it is known. */
  onEnd(message: MessageView, position: FollowerPosition): void;
  /** Waits before asking again for what the server does not have yet; counted from 0. */
  wait(tries: number): Promise<void>;
};

/**
 * Follows one reply through live frames and resumed pages: every delta once, in order, whatever is missed, doubled
 * or early. It is at (attempt, seq): older frames are dropped, the next one is taken, later ones are held until
 * what is between them has been asked for.
 */
export type ReplyFollower = {
  started(attempt: number): void;
  delta(frame: { attempt: number; seq: number; text: string }): void;
  ended(frame: Pick<ServerEventPayloads['reply:done'], 'attempt' | 'seq' | 'message'>): void;
  /** Asks for what may have been missed. Resolves when that is here; never rejects. */
  catchUp(): Promise<void>;
  /** Whether there is something after what the reader has. */
  isBehind(position: FollowerPosition): boolean;
  hasEnded(): boolean;
  /** Asks for nothing more. */
  stop(): void;
};

export function createReplyFollower(options: Options): ReplyFollower {
  let { attempt, seq } = options.from ?? { attempt: 0, seq: 0 };
  let over = false;
  let stopped = false;
  /** Deltas of this attempt that came before their turn. */
  const held = new Map<number, string>();
  let catching: Promise<void> | null = null;
  let again = false;

  function begin(next: number): void {
    attempt = next;
    seq = 0;
    over = false;
    held.clear();
    options.onAttempt(attempt);
  }

  function append(delta: string, toSeq: number): void {
    seq = toSeq;
    options.onDelta(delta, { attempt, seq });
  }

  function drain(): void {
    for (const early of held.keys()) if (early <= seq) held.delete(early);
    for (let next = held.get(seq + 1); next !== undefined; next = held.get(seq + 1)) {
      held.delete(seq + 1);
      append(next, seq + 1);
    }
  }

  /** How a reply was stored is the last word of its attempt, whatever was missed of it. */
  function end(position: FollowerPosition, message: MessageView): void {
    if (position.attempt < attempt || (over && position.attempt === attempt)) return;
    if (position.attempt > attempt) begin(position.attempt);
    // What only waited for a page on its way comes before the end.
    drain();
    over = true;
    held.clear();
    options.onEnd(message, position);
  }

  function takePage(page: Page): void {
    // A page of an older attempt was on its way when this one began.
    if (page.attempt < attempt || (over && page.attempt === attempt)) return;
    const hasText = page.toSeq >= page.fromSeq;
    if (page.attempt > attempt) begin(page.attempt);
    if (page.attempt === attempt && page.fromSeq === seq + 1 && hasText) append(page.text, page.toSeq);
    drain();
    if (page.message) end({ attempt: page.attempt, seq: page.toSeq + 1 }, page.message);
  }

  async function ask(): Promise<void> {
    for (let tries = 0; !over && !stopped;) {
      again = false;
      const before = { attempt, seq };
      const page = await options.resume({ attempt, after: seq });
      if (!page || stopped) return;
      takePage(page);
      if (page.more || again) continue;
      if (held.size === 0) return;
      // What is between is not in the log yet (it is being written anew), or the answer is older than what is held.
      tries = attempt === before.attempt && seq === before.seq ? tries + 1 : 0;
      await options.wait(tries);
    }
  }

  function catchUp(): Promise<void> {
    if (over || stopped) return Promise.resolve();
    again = true;
    catching ??= ask()
      .catch(() => {})
      .finally(() => {
        catching = null;
        drain();
      });
    return catching;
  }

  return {
    started(next) {
      if (next > attempt) begin(next);
    },
    delta(frame) {
      if (frame.attempt < attempt || (over && frame.attempt === attempt)) return;
      if (frame.attempt > attempt) begin(frame.attempt);
      if (frame.seq <= seq) return;
      if (!catching && frame.seq === seq + 1) {
        append(frame.text, frame.seq);
        drain();
        return;
      }
      // While a page is on its way its text must meet what it was asked for: the live frames wait for it.
      held.set(frame.seq, frame.text);
      if (!catching) void catchUp();
    },
    ended: (frame) => end(frame, frame.message),
    catchUp,
    isBehind: (position) => position.attempt > attempt || (position.attempt === attempt && position.seq > seq),
    hasEnded: () => over,
    stop() {
      stopped = true;
    },
  };
}
