import { requireMembership } from '../../shared/conversations/access.js';
import { findRunningReplies } from '../../shared/conversations/running-replies.js';
import { rooms } from '../../shared/realtime/events.js';
import type { Presence } from '../../shared/realtime/presence.js';
import { readPositions } from '../../shared/realtime/reply-reader.js';
import { inTurn } from '../../shared/in-turn.js';
import type { WebContext } from '../context.js';
import type { EventHandlers } from './receive-event.js';
import type { Session } from './session.js';
import { enterRoom, leaveRoom } from './socket-rooms.js';

/** Joining and leaving the room of a conversation. */
export function conversationRoomHandlers(
  ctx: WebContext,
  presence: Presence,
): Pick<EventHandlers, 'conversation:join' | 'conversation:leave'> {
  return {
    'conversation:join': (session, { conversationId }) =>
      inTurn(session.turns, rooms.conversation(conversationId), () => join(ctx, presence, session, conversationId)),
    async 'conversation:leave'(session, { conversationId }) {
      const room = rooms.conversation(conversationId);
      await inTurn(session.turns, room, async () => leaveRoom(ctx, session, room));
      return {};
    },
  };
}

async function join(ctx: WebContext, presence: Presence, session: Session, conversationId: string) {
  const { database, redis } = ctx;
  const { userId } = session.principal;
  const room = rooms.conversation(conversationId);
  const wasIn = session.rooms.has(room);
  // First, so that a stranger does not make this process subscribe to anything.
  if (!wasIn) await requireMembership(database, conversationId, userId);
  // Again, when a revocation would find the reader: one in between was heard by nobody.
  const { readsFromSeq } = await enterRoom(ctx, session, room, () =>
    requireMembership(database, conversationId, userId),
  );
  try {
    // After entering: what is published from here on arrives, what was before is in Postgres or in the log.
    const { lastSeq, replyIds } = await findRunningReplies(database, conversationId, readsFromSeq);
    // Without Redis nothing is known of their text; who joined asks for it when it can be had.
    const positions = await readPositions(redis, replyIds).catch(() => []);
    return {
      lastSeq,
      activeReplies: replyIds.map((messageId, index) => ({
        messageId,
        ...(positions[index] ?? { attempt: 0, seq: 0 }),
      })),
      present: await presence.list(room).catch(() => []),
    };
  } catch (error) {
    if (!wasIn) leaveRoom(ctx, session, room);
    throw error;
  }
}
