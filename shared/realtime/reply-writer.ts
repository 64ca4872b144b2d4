import { setTimeout as wait } from 'node:timers/promises';
import { ClaimLost } from '../errors.js';
import type { Logger } from '../logger.js';
import type { ReplyAddress, ReplyFrame } from './reply-frames.js';
import type { Appended, ReplyLog } from './reply-log.js';

/** Writes one attempt of one reply: an ordered sequence, one append at a time. */
export type ReplyWriter = {
  /** Takes text from the model; what was taken goes out in order, gathered. Never waits. */
  push(text: string): void;
  /** Resolves when everything pushed is in the log, or the job was told to stop while Redis is away. @throws ClaimLost */
  drain(): Promise<void>;
  /** The seq that a frame after the last delta has. */
  nextSeq(): number;
  /** Stops writing: what is gathered is dropped, an append under way is awaited. */
  stop(): Promise<void>;
};

/** Between tries while Redis is away. */
const retryMs = 250;

/**
 * What an append may still take when the job is told to stop: Redis answers in a millisecond, and one that does not
 * answer would have to be waited for until the command gives up.
 */
const lastMs = 200;

type Options = {
  log: ReplyLog;
  address: ReplyAddress;
  attempt: number;
  /** @throws ClaimLost when another attempt holds the job. Asked only when the log has vanished. */
  guard: () => Promise<void>;
  /** Ends the retries when the job is told to stop. */
  signal: AbortSignal;
  /** Told of ClaimLost, as soon as it is known: the model call can be ended. */
  onLost: (error: ClaimLost) => void;
  logger: Logger;
};

/**
 * Begins an attempt: the `started` frame goes out with the first flush, so that an outage of Redis holds
 * nothing up; what is pushed meanwhile is kept and sent when Redis is back.
 */
export function createReplyWriter(options: Options): ReplyWriter {
  const { log, address, attempt, guard, signal, onLost, logger } = options;
  /** Every delta of this attempt, for the case that the log is lost. */
  const texts: string[] = [];
  let gathered = '';
  let started = false;
  let stopped = false;
  let failure: Error | null = null;
  let flushing: Promise<void> | null = null;
  let hurry = (): void => {};
  signal.addEventListener('abort', () => hurry(), { once: true });

  /** @throws when Redis is away. One that was given up may still be done, before everything that is appended later. */
  function append(frame: ReplyFrame, announced?: ReplyFrame): Promise<Appended> {
    return new Promise((resolve, reject) => {
      hurry = () => void setTimeout(() => reject(new Error('Redis has not answered')), lastMs).unref();
      if (signal.aborted) hurry();
      log.append(address, frame, announced).then(resolve, reject);
    });
  }

  async function send(frame: ReplyFrame): Promise<void> {
    let result = await append(frame);
    if (result === 'missing') {
      await guard();
      logger.warn({ attempt, seq: frame.seq }, 'the log of a running reply was lost; writing it again');
      const announced: ReplyFrame = { type: 'delta', attempt, seq: frame.seq, text: texts.at(-1) ?? '' };
      result = await append({ type: 'restored', attempt, seq: frame.seq, texts: [...texts] }, announced);
    }
    if (result === 'stale') throw new ClaimLost();
  }

  /** Redis being away is waited for; everything else ends the attempt. */
  async function sendUntilDone(frame: ReplyFrame): Promise<void> {
    for (let outage = false; !stopped; outage = true) {
      try {
        // While this waited another attempt may have come and gone, and its log with it: only `started` makes one.
        if (outage && frame.type === 'started') await guard();
        await send(frame);
        return;
      } catch (error) {
        if (error instanceof ClaimLost) throw error;
        if (!outage) logger.warn({ err: error }, 'a reply waits for Redis');
        await wait(retryMs, undefined, { signal }).catch(() => {});
        // A job that is told to stop does not wait for Redis; nothing may follow what was not sent.
        if (signal.aborted) stopped = true;
      }
    }
  }

  async function flush(): Promise<void> {
    try {
      if (!started) {
        await sendUntilDone({ type: 'started', attempt, seq: 0 });
        started = true;
      }
      while (gathered !== '' && !stopped) {
        const text = gathered;
        gathered = '';
        texts.push(text);
        await sendUntilDone({ type: 'delta', attempt, seq: texts.length, text });
      }
    } catch (error) {
      failure = error as Error;
      if (error instanceof ClaimLost) onLost(error);
    } finally {
      // In the same step as the last look: a push in between would be taken by nobody.
      flushing = null;
    }
  }

  function begin(): void {
    if (stopped || failure || (started && gathered === '')) return;
    flushing ??= flush();
  }

  begin();
  return {
    push(text) {
      gathered += text;
      begin();
    },
    async drain() {
      while ((flushing || gathered !== '') && !failure && !stopped) {
        begin();
        await flushing;
      }
      if (failure) throw failure;
    },
    nextSeq: () => texts.length + 1,
    async stop() {
      stopped = true;
      await flushing;
    },
  };
}
