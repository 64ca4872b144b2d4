import { notFound } from '../../shared/errors.js';
import { rooms } from '../../shared/realtime/events.js';
import { conversationOf } from '../../shared/realtime/rooms.js';
import type { Publisher } from '../../shared/realtime/publisher.js';
import type { EventHandlers } from './receive-event.js';
import type { Session } from './session.js';

/** Who keeps typing is shown at most this often, in milliseconds; clients send it at each key. */
const showEveryMs = 2_000;

/** Who sends nothing for so long has stopped, in milliseconds. */
const expireMs = 6_000;

type Deps = { publisher: Publisher };

/** Typing is told to the room and stored nowhere. */
export function typingHandlers(deps: Deps): Pick<EventHandlers, 'typing'> {
  return {
    async typing(session, { conversationId, typing }) {
      const room = rooms.conversation(conversationId);
      if (!session.rooms.has(room)) throw notFound('The conversation, among those that you have joined,');
      if (!typing) {
        stopTyping(deps, session, room);
        return {};
      }
      const known = session.typing.get(room);
      clearTimeout(known?.expiry);
      const expiry = setTimeout(() => stopTyping(deps, session, room), expireMs).unref();
      const due = !known || performance.now() - known.shownAt >= showEveryMs;
      session.typing.set(room, { shownAt: due ? performance.now() : known.shownAt, expiry });
      if (due) show(deps, session, room, true);
      return {};
    },
  };
}

/** Ends what the others were shown, if anything: when it is said, has expired, or the room is left. */
export function stopTyping(deps: Deps, session: Session, room: string): void {
  const known = session.typing.get(room);
  if (!known) return;
  clearTimeout(known.expiry);
  session.typing.delete(room);
  show(deps, session, room, false);
}

function show({ publisher }: Deps, { principal }: Session, room: string, typing: boolean): void {
  const { userId, name } = principal;
  void publisher.emit(room, 'typing', { conversationId: conversationOf(room) ?? '', userId, name, typing });
}
