import { AppError } from '../../shared/errors.js';
import type { WebContext } from '../context.js';
import type { Session } from './session.js';

/** Rooms of one socket: more than anybody looks at, fewer than would burden a process. */
const maxRooms = 200;

/**
 * Puts a socket into a room: it is registered as a reader first, then `authorise` says whether and from where it
 * may read, and only then events reach it.
 *
 * @throws AppError `unavailable` without Redis, `conflict` beyond {@link maxRooms}, and what `authorise` throws.
 */
export async function enterRoom<Right extends { readsFromSeq: number }>(
  { realtime }: Pick<WebContext, 'realtime'>,
  session: Session,
  room: string,
  authorise: () => Promise<Right>,
): Promise<Right> {
  const { socket, rooms } = session;
  if (!rooms.has(room) && rooms.size >= maxRooms) {
    throw new AppError('conflict', `A connection may have at most ${maxRooms} rooms open.`);
  }
  rooms.add(room);
  await realtime.rooms.enter(room, {
    id: socket.id,
    userId: session.principal.userId,
    readsFromSeq: 0,
    expelled() {
      rooms.delete(room);
      void socket.leave(room);
      socket.emit('access:revoked', { room });
    },
    missed: () => void socket.emit('room:resync', { room }),
  });
  const right = await authorise();
  realtime.rooms.restrict(room, socket.id, right.readsFromSeq);
  if (!socket.connected || !realtime.rooms.has(room, socket.id)) {
    throw new AppError('unavailable', 'The room was left while it was entered. Please try again.');
  }
  await socket.join(room);
  return right;
}

/** Takes a socket out of a room; does nothing when it is not there. */
export function leaveRoom({ realtime }: Pick<WebContext, 'realtime'>, session: Session, room: string): void {
  session.rooms.delete(room);
  realtime.rooms.exit(room, session.socket.id);
  void session.socket.leave(room);
}
