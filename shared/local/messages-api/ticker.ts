import type { ServerResponse } from 'node:http';
import { type MessageChunks, ping } from './events.js';

/** A message on its way out. */
export type OutgoingStream = {
  response: ServerResponse;
  chunks: MessageChunks;
  /** Tokens per second; 0 is all at once. */
  rate: number;
  /** The number of tokens after which `atEnd` is called; all of them if it is the number of tokens. */
  tokens: number;
  /** Ends the stream in whatever way it ends, with what is still to be written. */
  atEnd: (rest: string) => void;
  gate?: { after: number; until: Promise<unknown> } | undefined;
};

/** Sends the tokens of all streams when they are due. */
export type Ticker = { add(stream: OutgoingStream): void; stop(): void };

type Running = OutgoingStream & {
  sent: number;
  startedAt: number;
  sentBefore: number;
  lastWriteAt: number;
  /** Before this there is nothing to do for it; until its gate opens nobody knows. */
  nextAt: number;
  open: boolean;
};

const intervalMs = 4;
const pingAfterMs = 10_000;

/**
 * One timer for all streams, and one write for all tokens of a stream that are due: two hundred streams of fifty
 * tokens a second cost a fraction of a core. A stream whose reader does not keep up waits, and keeps nothing in memory.
 */
export function createTicker(): Ticker {
  const running = new Set<Running>();
  let timer: NodeJS.Timeout | undefined;

  function tick(): void {
    const now = performance.now();
    for (const stream of running) {
      // First, because it costs least: of two hundred streams forty at most have something to say.
      if (now < stream.nextAt) continue;
      if (stream.response.destroyed || stream.response.writableEnded) running.delete(stream);
      else if (!stream.response.writableNeedDrain) advance(stream, now);
    }
    if (running.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  }

  function advance(stream: Running, now: number): void {
    const elapsed = Math.floor(((now - stream.startedAt) * stream.rate) / 1000 + 1e-6);
    const due = stream.rate === 0 ? stream.tokens : Math.min(stream.tokens, stream.sentBefore + elapsed);
    const limit = stream.open || !stream.gate ? due : Math.min(due, stream.gate.after);
    let text = '';
    for (; stream.sent < limit; stream.sent += 1) {
      const chunk = stream.chunks.tokens[stream.sent];
      text += typeof chunk === 'function' ? chunk() : (chunk ?? '');
    }
    if (stream.sent >= stream.tokens && (stream.open || !stream.gate)) {
      running.delete(stream);
      stream.atEnd(text);
    } else if (text) {
      stream.response.write(text);
      stream.lastWriteAt = now;
    } else if (now - stream.lastWriteAt > pingAfterMs) {
      stream.response.write(ping);
      stream.lastWriteAt = now;
    }
    if (stream.open && stream.rate > 0) {
      const tokenAt = stream.startedAt + ((stream.sent + 1 - stream.sentBefore) * 1000) / stream.rate;
      // A little early, for the rounding: asked once more it costs nothing.
      stream.nextAt = Math.min(tokenAt - 0.001, stream.lastWriteAt + pingAfterMs);
    }
  }

  return {
    add(stream) {
      const now = performance.now();
      const entry: Running = {
        ...stream,
        sent: 0,
        startedAt: now,
        sentBefore: 0,
        lastWriteAt: now,
        nextAt: 0,
        open: !stream.gate,
      };
      const open = (): void => {
        entry.open = true;
        entry.startedAt = performance.now();
        entry.sentBefore = entry.sent;
      };
      stream.gate?.until.then(open, open);
      running.add(entry);
      timer ??= setInterval(tick, intervalMs);
      if (entry.rate === 0) tick();
    },
    stop() {
      clearInterval(timer);
      running.clear();
    },
  };
}
