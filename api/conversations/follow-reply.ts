import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Principal } from '../../shared/accounts/principal.js';
import type { MessageRow } from '../../shared/conversations/message.js';
import { AppError } from '../../shared/errors.js';
import { type MessageView, rooms, type ServerEventPayloads } from '../../shared/realtime/events.js';
import type { Envelope } from '../../shared/realtime/publisher.js';
import { createReplyFollower, type FollowerPosition } from '../../shared/realtime/reply-follower.js';
import type { WebContext } from '../context.js';
import { findReply, resumeReply } from '../realtime/resume-reply.js';

/** Where a running reply goes. */
export type FollowerSink = {
  started(attempt: number): void;
  delta(text: string, position: FollowerPosition): void;
  ended(message: MessageView, position: FollowerPosition): void;
  /** The right to read it was lost, or this process shuts down: nothing more comes. */
  cut(): void;
};

/** A reply that is being followed. */
export type Following = {
  /** Begins to fill the sink. */
  begin(sink: FollowerSink): void;
  /** Looks by itself whether something was missed, or the right to read was lost. */
  check(): void;
  stop(): void;
};

/** Between tries while a store is away, in milliseconds. */
const retryMs = 500;

/**
 * Reads a running reply from a position on: first from its log, then live from the conversation's room, which is
 * entered before the log is read.
 *
 * @throws AppError `unavailable` without Redis, `not_found` when the right to read it has just gone, `rate_limited` when
 * the reader has too many streams open.
 */
export async function followReply(
  ctx: WebContext,
  reader: { principal: Principal; token: string },
  row: MessageRow,
  from: FollowerPosition,
): Promise<Following> {
  const { rooms: openRooms, credentials, streams } = ctx.realtime;
  const room = rooms.conversation(row.conversationId);
  const { userId, role } = reader.principal;
  const reply = { messageId: row.id, userId, role };
  const readerId = randomUUID();
  const stopping = new AbortController();
  /** What came before anybody could take it. */
  const early: Envelope[] = [];
  let sink: FollowerSink | null = null;

  const follower = createReplyFollower({
    from,
    resume,
    onAttempt: (attempt) => sink?.started(attempt),
    onDelta: (text, position) => sink?.delta(text, position),
    onEnd: (message, position) => sink?.ended(message, position),
    wait: (tries) => pause(Math.min(100 * 2 ** tries, 2_000)),
  });

  async function pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: stopping.signal }).catch(() => {});
  }

  async function resume(position: { attempt: number; after: number }) {
    while (!stopping.signal.aborted) {
      try {
        return await resumeReply(ctx, reply, position);
      } catch (error) {
        if (error instanceof AppError && error.code === 'not_found') break;
        await pause(retryMs);
      }
    }
    cut();
    return null;
  }

  function take({ e, p }: Envelope): void {
    if (!e.startsWith('reply:') || (p as { messageId?: string }).messageId !== row.id) return;
    if (e === 'reply:started') follower.started((p as ServerEventPayloads['reply:started']).attempt);
    else if (e === 'reply:delta') follower.delta(p as ServerEventPayloads['reply:delta']);
    else follower.ended(p as ServerEventPayloads['reply:done']);
  }

  function cut(): void {
    if (!stopping.signal.aborted) sink?.cut();
    stop();
  }

  function stop(): void {
    stopping.abort();
    follower.stop();
    openRooms.exit(room, readerId);
    unwatch();
    forget();
  }

  const forget = streams.add(userId, cut);
  const unwatch = credentials.watch({ ...reader, ended: cut });
  try {
    await openRooms.enter(room, {
      id: readerId,
      userId: reply.userId,
      readsFromSeq: 0,
      receive: (envelope) => (sink ? take(envelope) : void early.push(envelope)),
      expelled: cut,
      missed: () => void follower.catchUp(),
    });
    // Again, now that a revocation would find the reader: one in between was heard by nobody.
    await findReply(ctx.database, reply);
  } catch (error) {
    stop();
    throw error;
  }

  return {
    begin(next) {
      sink = next;
      if (stopping.signal.aborted) {
        next.cut();
        return;
      }
      for (const envelope of early.splice(0)) take(envelope);
      void follower.catchUp();
    },
    check: () => void follower.catchUp(),
    stop,
  };
}
