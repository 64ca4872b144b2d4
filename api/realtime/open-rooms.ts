import { AppError } from '../../shared/errors.js';
import { withTimeout } from '../../shared/lifecycle.js';
import type { Envelope } from '../../shared/realtime/publisher.js';
import type { RoomBus, Subscription } from '../../shared/realtime/room-bus.js';

/** Somebody who has a room open in this process: a socket, or an event stream over HTTP. */
export type Reader = {
  /** The socket's id, or another that is unique in this process. */
  id: string;
  userId: string;
  /** Events about messages up to this seq are kept from the reader; 0 for nothing. */
  readsFromSeq: number;
  /** Of event streams; sockets are served together through {@link OpenRooms.serveSockets}. */
  receive?(envelope: Envelope): void;
  /** Told after the reader was taken out because the account may not read the room any more. */
  expelled(): void;
  /** Told that events may have been missed. */
  missed(): void;
};

/** Sends an event to the sockets that joined the room, but for those with the ids in `hidden`. */
export type SocketSink = (room: string, envelope: Envelope, hidden: string[]) => void;

/** Who reads which room in this process. A room is subscribed to before its first reader is in, until the last has left. */
export type OpenRooms = {
  /**
   * Puts a reader into a room. Check the right to read after this: a revocation from now on finds the reader.
   *
   * @throws AppError `unavailable` when Redis does not answer.
   */
  enter(room: string, reader: Reader): Promise<void>;
  exit(room: string, readerId: string): void;
  /** Changes what is kept from a reader. */
  restrict(room: string, readerId: string, readsFromSeq: number): void;
  has(room: string, readerId: string): boolean;
  /** Takes an account's readers out of a room. */
  expel(room: string, userId: string): void;
  /** Every reader of the rooms; a copy. */
  readers(): { room: string; reader: Reader }[];
  names(): string[];
  serveSockets(sink: SocketSink): void;
};

type OpenRoom = {
  readers: Map<string, Reader>;
  /** The few readers who do not read everything; usually none. */
  restricted: Map<string, Reader>;
  streams: Map<string, Reader>;
  subscription: Subscription;
};

/** How long a reader waits for Redis, in milliseconds. */
const subscribeTimeoutMs = 2_000;

const nobody: string[] = [];

export function createOpenRooms(bus: RoomBus): OpenRooms {
  const rooms = new Map<string, OpenRoom>();
  let sink: SocketSink = () => {};

  function open(name: string): OpenRoom {
    const room: OpenRoom = {
      readers: new Map(),
      restricted: new Map(),
      streams: new Map(),
      subscription: bus.listen(name, (envelope) => deliver(name, room, envelope)),
    };
    rooms.set(name, room);
    return room;
  }

  function deliver(name: string, room: OpenRoom, envelope: Envelope): void {
    const { e, q, x } = envelope;
    if (e === 'room:resync') {
      for (const reader of room.readers.values()) reader.missed();
      return;
    }
    let hidden = x === undefined ? nobody : [x];
    if (q !== undefined && room.restricted.size > 0) {
      hidden = [
        ...hidden,
        ...[...room.restricted.values()].filter((reader) => q <= reader.readsFromSeq).map(({ id }) => id),
      ];
    }
    sink(name, envelope, hidden);
    for (const reader of room.streams.values()) {
      if (q === undefined || q > reader.readsFromSeq) reader.receive?.(envelope);
    }
  }

  function restrict(room: OpenRoom, reader: Reader, readsFromSeq: number): void {
    reader.readsFromSeq = readsFromSeq;
    if (readsFromSeq > 0) room.restricted.set(reader.id, reader);
    else room.restricted.delete(reader.id);
  }

  function exit(name: string, readerId: string): void {
    const room = rooms.get(name);
    if (!room?.readers.delete(readerId)) return;
    room.restricted.delete(readerId);
    room.streams.delete(readerId);
    if (room.readers.size > 0) return;
    rooms.delete(name);
    room.subscription.stop();
  }

  return {
    async enter(name, reader) {
      const room = rooms.get(name) ?? open(name);
      // Who enters again is still kept from what it was kept from, until it is known better.
      reader.readsFromSeq = room.readers.get(reader.id)?.readsFromSeq ?? reader.readsFromSeq;
      room.readers.set(reader.id, reader);
      if (reader.receive) room.streams.set(reader.id, reader);
      restrict(room, reader, reader.readsFromSeq);
      try {
        await withTimeout(room.subscription.ready, subscribeTimeoutMs, 'opening the room');
      } catch (error) {
        exit(name, reader.id);
        throw new AppError('unavailable', 'Live events are not available at the moment. Please try again.', {
          retryAfterSeconds: 1,
          cause: error,
        });
      }
    },
    exit,
    restrict(name, readerId, readsFromSeq) {
      const room = rooms.get(name);
      const reader = room?.readers.get(readerId);
      if (room && reader) restrict(room, reader, readsFromSeq);
    },
    has: (name, readerId) => rooms.get(name)?.readers.has(readerId) ?? false,
    expel(name, userId) {
      for (const reader of [...(rooms.get(name)?.readers.values() ?? [])]) {
        if (reader.userId !== userId) continue;
        exit(name, reader.id);
        reader.expelled();
      }
    },
    readers: () =>
      [...rooms].flatMap(([room, { readers }]) => [...readers.values()].map((reader) => ({ room, reader }))),
    names: () => [...rooms.keys()],
    serveSockets: (next) => void (sink = next),
  };
}
