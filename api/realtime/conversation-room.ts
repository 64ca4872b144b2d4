import { requireMembership } from '../../shared/conversations/access.js';
import { findRunningReplies } from '../../shared/conversations/running-replies.js';
import { AppError } from '../../shared/errors.js';
import { rooms } from '../../shared/realtime/events.js';
import type { Presence } from '../../shared/realtime/presence.js';
import { readPositions } from '../../shared/realtime/reply-reader.js';
import type { WebContext } from '../context.js';
import type { EventHandlers } from './receive-event.js';
import { inTurn, type Session } from './session.js';
import { enterRoom, leaveRoom } from './socket-rooms.js';
import { stopTyping } from './typing.js';

/** Joining and leaving the room of a conversation. */
export function conversationRoomHandlers(
  ctx: WebContext,
  presence: Presence,
): Pick<EventHandlers, 'conversation:join' | 'conversation:leave'> {
  const { database, redis } = ctx;

  async function join(session: Session, conversationId: string) {
    const room = rooms.conversation(conversationId);
    const { userId, name } = session.principal;
    // First, so that a stranger does not make this process subscribe to anything.
    await requireMembership(database, conversationId, userId);
    const { readsFromSeq } = await enterRoom(ctx, session, room, async () => {
      // Again, now that a revocation would find the reader: one in between was not heard.
      return requireMembership(database, conversationId, userId);
    });
    presence.enter(room, session.socket.id, { userId, name });
    // After entering: what is published from here on arrives, what was before is in Postgres or in the log.
    const { lastSeq, replyIds } = await findRunningReplies(database, conversationId, readsFromSeq);
    // Without Redis nothing is known of their text; who joined asks for it when it can be had.
    const positions = await readPositions(redis, replyIds).catch(() => []);
    return {
      lastSeq,
      activeReplies: replyIds.map((messageId, index) => ({ messageId, ...(positions[index] ?? { attempt: 0, seq: 0 }) })),
      present: await presence.list(room).catch(() => []),
    };
  }

  return {
    async 'conversation:join'(session, { conversationId }) {
      const room = rooms.conversation(conversationId);
      return inTurn(session, room, async () => {
        try {
          return await join(session, conversationId);
        } catch (error) {
          // Somebody who has lost the right to be there, or did not quite get in, hears nothing from it.
          leaveRoom(ctx, session, room);
          throw error;
        }
      });
    },
    async 'conversation:leave'(session, { conversationId }) {
      const room = rooms.conversation(conversationId);
      await inTurn(session, room, async () => {
        stopTyping(ctx, session, conversationId);
        leaveRoom(ctx, session, room);
      });
      return {};
    },
  };
}

/** @throws AppError `not_found` when the socket has not joined. */
export function requireJoined(session: Session, conversationId: string): void {
  if (!session.rooms.has(rooms.conversation(conversationId))) {
    throw new AppError('not_found', 'Join the conversation first.');
  }
}
