import { AppError } from '../../shared/errors.js';
import type { RealtimeHub } from './hub.js';
import type { Session } from './session.js';

/** Rooms of one socket: more than anybody looks at, fewer than would burden a process. */
const maxRooms = 200;

/** What entering and leaving needs. */
type Deps = { realtime: Pick<RealtimeHub, 'rooms'> };

/**
 * Puts a socket into a room: it is registered as a reader first, then `authorise` says whether and from where it
 * may read, and only then events reach it. Who is in already and is let in again misses nothing.
 *
 * @throws AppError `unavailable` without Redis, `forbidden` beyond {@link maxRooms}, and what `authorise` throws.
 */
export async function enterRoom<Right extends { readsFromSeq: number }>(
  deps: Deps,
  session: Session,
  room: string,
  authorise: () => Promise<Right>,
): Promise<Right> {
  const { socket, rooms } = session;
  const wasIn = rooms.has(room);
  if (!wasIn && rooms.size >= maxRooms) {
    // No `conflict`: a client takes that for one about its id in the document, and tries again with another.
    throw new AppError('forbidden', `A connection may have at most ${maxRooms} rooms open.`);
  }
  rooms.add(room);
  try {
    await deps.realtime.rooms.enter(room, reader(session, room));
    const right = await authorise();
    if (!socket.connected || !deps.realtime.rooms.has(room, socket.id)) {
      throw new AppError('unavailable', 'The room was left while it was entered. Please try again.');
    }
    deps.realtime.rooms.restrict(room, socket.id, right.readsFromSeq);
    await socket.join(room);
    return right;
  } catch (error) {
    const lostRight = error instanceof AppError && error.code === 'not_found';
    if (!wasIn || lostRight || !socket.connected) leaveRoom(deps, session, room);
    throw error;
  }
}

function reader({ socket, principal, rooms }: Session, room: string) {
  return {
    id: socket.id,
    userId: principal.userId,
    readsFromSeq: 0,
    expelled() {
      rooms.delete(room);
      void socket.leave(room);
      socket.emit('access:revoked', { room });
    },
    missed: () => void socket.emit('room:resync', { room }),
  };
}

/** Takes a socket out of a room; does nothing when it is not there. */
export function leaveRoom({ realtime }: Deps, { socket, rooms }: Session, room: string): void {
  rooms.delete(room);
  realtime.rooms.exit(room, socket.id);
  void socket.leave(room);
}
