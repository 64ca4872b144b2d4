import type { Redis } from 'ioredis';
import { keyPrefix } from '../redis.js';
import { rooms, type ServerEvent } from './events.js';
import { type Envelope, roomChannel } from './publisher.js';
import type { ReplyAddress, ReplyFrame } from './reply-frames.js';

/**
 * What became of an append. `duplicate`: the entry is there already, from a call whose answer was lost.
 * `stale`: a newer attempt writes this reply. `missing`: the log has vanished or lacks what came before (it expired,
 * Redis was flushed, or restarted with less than it had).
 */
export type Appended = 'appended' | 'duplicate' | 'stale' | 'missing';

/**
 * How long a log outlives its last append, in milliseconds: longer than a model may be silent or a retry
 * may wait. After that readers find the text in Postgres.
 */
const keepMs = 30 * 60_000;

/** Where the log of a reply is. */
export const replyLogKey = (messageId: string): string => `${keyPrefix}reply:${messageId}`;

/**
 * One call, so that nobody can see the log and the channel disagree, and frames cannot overtake each other.
 *
 * A delta is taken only right after the one before it: a Redis that was restarted from its append-only file
 * may have lost the last second of the log, and then has to be given the text from the start again.
 *
 * The frames of one turn of the event loop share a call: a call of its own for each was a third of what the worker did
 * for 200 replies of 50 tokens a second, and each woke Redis and all who listen. One that fails fails alone: its
 * writer tries it again and again, and would take those of all others with it.
 *
 * KEYS: a log for each frame. ARGV: time to live; then of each frame attempt, seq, log frame, channel, channel message,
 * whether it may make the log.
 */
const appendScript = `
local function append(log, at)
  local attempt, seq = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]
  local follows = false
  if last then
    local lastAttempt, lastSeq = string.match(last[1], '^(%d+)-(%d+)$')
    lastAttempt, lastSeq = tonumber(lastAttempt), tonumber(lastSeq)
    if lastAttempt > attempt then return 'stale' end
    if lastAttempt == attempt and lastSeq >= seq then return 'duplicate' end
    follows = lastAttempt == attempt and lastSeq == seq - 1
  end
  if ARGV[at + 5] == '0' and not follows then return 'missing' end
  local id = ARGV[at] .. '-' .. ARGV[at + 1]
  redis.call('XADD', log, id, 'f', ARGV[at + 2])
  if seq == 0 then redis.call('XTRIM', log, 'MINID', id) end
  redis.call('PEXPIRE', log, ARGV[1])
  redis.call('PUBLISH', ARGV[at + 3], ARGV[at + 4])
  return 'appended'
end
local results = {}
for i, log in ipairs(KEYS) do
  local done, result = pcall(append, log, 6 * i - 4)
  results[i] = done and result or redis.error_reply(type(result) == 'table' and result.err or tostring(result))
end
return results`;

/** Frames in one call: nobody else is served while Redis appends them, at some 10 µs each. */
const maxTogether = 100;

type WithAppend = Redis & {
  millraceAppend(keys: number, ...args: (string | number)[]): Promise<(Appended | Error)[]>;
};

/** Appends frames to reply logs and publishes them to the readers, in one call each. */
export type ReplyLog = {
  /**
   * @param announced what the readers are sent instead of the frame itself: of a restored log only the newest delta.
   * @throws when Redis is away; whether the frame was stored is then unknown, and appending it again is right.
   */
  append(address: ReplyAddress, frame: ReplyFrame, announced?: ReplyFrame): Promise<Appended>;
};

export function createReplyLog(redis: Redis): ReplyLog {
  redis.defineCommand('millraceAppend', { lua: appendScript });
  let waiting: Waiting[] = [];

  function send(): void {
    const all = waiting;
    waiting = [];
    for (let from = 0; from < all.length; from += maxTogether) {
      const some = all.slice(from, from + maxTogether);
      (redis as WithAppend)
        .millraceAppend(some.length, ...some.map(({ key }) => key), keepMs, ...some.flatMap(({ args }) => args))
        .then(
          (results) =>
            some.forEach(({ resolve, reject }, index) => {
              const result = results[index] as Appended | Error;
              if (result instanceof Error) reject(result);
              else resolve(result);
            }),
          (error: unknown) => some.forEach(({ reject }) => reject(error)),
        );
    }
  }

  return {
    append: (address, frame, announced = frame) =>
      new Promise((resolve, reject) => {
        if (waiting.length === 0) setImmediate(send);
        const args = [
          frame.attempt,
          frame.seq,
          JSON.stringify(frame),
          roomChannel(rooms.conversation(address.conversationId)),
          JSON.stringify(toEnvelope(address, announced)),
          makesLog(frame) ? '1' : '0',
        ];
        waiting.push({ key: replyLogKey(address.messageId), args, resolve, reject });
      }),
  };
}

/** A frame that goes out at the end of this turn. */
type Waiting = {
  key: string;
  args: (string | number)[];
  resolve: (appended: Appended) => void;
  reject: (error: unknown) => void;
};

/** A delta never makes a log: it would be one that begins in the middle. */
const makesLog = (frame: ReplyFrame): boolean => frame.type !== 'delta';

/** The socket event of a frame. A `restored` frame is never announced as itself. */
function toEnvelope({ messageId, conversationId, messageSeq }: ReplyAddress, frame: ReplyFrame): Envelope {
  const base = { conversationId, messageId, attempt: frame.attempt };
  const envelope = (e: ServerEvent, p: unknown): Envelope => ({ e, p, q: messageSeq });
  switch (frame.type) {
    case 'started':
      return envelope('reply:started', base);
    case 'delta':
      return envelope('reply:delta', { ...base, seq: frame.seq, text: frame.text });
    case 'restored':
      return envelope('reply:delta', { ...base, seq: frame.seq, text: frame.texts.at(-1) ?? '' });
    case 'end':
      return envelope(`reply:${frame.state}`, { ...base, seq: frame.seq, message: frame.message });
  }
}
