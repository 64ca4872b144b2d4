import type { Redis } from 'ioredis';
import { replyLogKey } from './reply-log.js';
import type { EndState, ReplyFrame } from './reply-frames.js';

/** Text of a reply that a reader lacks. */
export type ReplyPage = {
  attempt: number;
  /** The text is that of deltas `fromSeq` to `toSeq`; when `toSeq` is less than `fromSeq` there is none. */
  fromSeq: number;
  toSeq: number;
  text: string;
  /** The attempt is newer than the one asked for: what the reader has is void. */
  reset: boolean;
  /** There is more in the log: ask again after `toSeq`. */
  more: boolean;
  /** The frame that ended the reply, when this page reaches the end. */
  end: Extract<ReplyFrame, { type: 'end' }> | null;
};

/** A page holds whole deltas until it has this much text: what one socket event should carry at most. */
const pageCharacters = 64 * 1024;

/** Entries read from Redis at a time. */
const batch = 500;

/** Where a running reply's log stands. */
export type ReplyPosition = { attempt: number; seq: number };

/** The last attempt and seq in the log; null when there is none. */
export async function readPosition(redis: Redis, messageId: string): Promise<ReplyPosition | null> {
  const [last] = await redis.xrevrange(replyLogKey(messageId), '+', '-', 'COUNT', 1);
  return last ? parseId(last[0]) : null;
}

/** The same of several replies, in one round trip. */
export async function readPositions(redis: Redis, messageIds: string[]): Promise<(ReplyPosition | null)[]> {
  return Promise.all(messageIds.map((id) => readPosition(redis, id)));
}

/**
 * What comes after delta `after` of `attempt`, at most a page.
 *
 * @returns null when there is no log: it was lost or has expired, and Postgres has what is known.
 */
export async function readReply(
  redis: Redis,
  messageId: string,
  position: { attempt: number; after: number },
): Promise<ReplyPage | null> {
  const last = await readPosition(redis, messageId);
  if (!last) return null;
  const reset = last.attempt !== position.attempt;
  const after = reset ? 0 : position.after;
  const page: ReplyPage = {
    attempt: last.attempt,
    fromSeq: after + 1,
    toSeq: after,
    text: '',
    reset,
    more: false,
    end: null,
  };
  let next = `${last.attempt}-${after + 1}`;
  for (;;) {
    const entries = await redis.xrange(replyLogKey(messageId), next, String(last.attempt), 'COUNT', batch);
    for (const [id, fields] of entries) {
      const frame = JSON.parse(fields[1] ?? 'null') as ReplyFrame;
      if (frame.type === 'end') return { ...page, end: frame };
      for (const piece of pieces(frame)) {
        if (piece.seq <= page.toSeq) continue;
        if (page.text.length > 0 && page.text.length + piece.text.length > pageCharacters)
          return { ...page, more: true };
        page.text += piece.text;
        page.toSeq = piece.seq;
      }
      next = `(${id}`;
    }
    if (entries.length < batch) return page;
  }
}

/** The deltas that a frame stands for. */
function pieces(frame: ReplyFrame): { seq: number; text: string }[] {
  if (frame.type === 'delta') return [{ seq: frame.seq, text: frame.text }];
  if (frame.type === 'restored') return frame.texts.map((text, index) => ({ seq: index + 1, text }));
  return [];
}

function parseId(id: string): ReplyPosition {
  const [attempt, seq] = id.split('-').map(Number);
  return { attempt: attempt ?? 0, seq: seq ?? 0 };
}

/** The whole of a log. */
export type ReplyEnding = ReplyPosition & {
  text: string;
  /** How the log says that the attempt ended; null while it has not. */
  end: EndState | null;
};

/** What the log holds of its newest attempt, for whoever has to end the reply; null when there is no log. */
export async function readEnding(redis: Redis, messageId: string): Promise<ReplyEnding | null> {
  const entries = await redis.xrange(replyLogKey(messageId), '-', '+');
  const last = entries.at(-1);
  if (!last) return null;
  const { attempt, seq } = parseId(last[0]);
  const frames = entries.map(([, fields]) => JSON.parse(fields[1] ?? 'null') as ReplyFrame);
  const texts = new Map(
    frames
      .filter((frame) => frame.attempt === attempt)
      .flatMap((frame) => pieces(frame).map((piece) => [piece.seq, piece.text])),
  );
  const newest = frames.at(-1);
  return { attempt, seq, text: [...texts.values()].join(''), end: newest?.type === 'end' ? newest.state : null };
}
