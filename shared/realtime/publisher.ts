import type { Redis } from 'ioredis';
import type { Logger } from '../logger.js';
import { keyPrefix } from '../redis.js';
import type { ServerEvent, ServerEventPayloads } from './events.js';
import { createMissedRooms } from './missed-rooms.js';

/** What travels on a room's channel: an event for the sockets in the room. */
export type Envelope = {
  /** The event's name. */
  e: ServerEvent;
  /** Its payload, sent on as it is. */
  p: unknown;
  /** Of what belongs to a message: that message's seq. Members who read from a later one are left out. */
  q?: number;
  /** The socket that is left out, because the event comes from it. */
  x?: string;
  /** The field of the payload that is binary; it travels as base64. */
  b?: string;
};

/** Orders to the processes themselves, on one channel that all subscribe to. */
export type ControlMessage =
  | { type: 'job-cancelled'; jobId: string }
  | { type: 'principal-changed'; userId: string }
  | { type: 'access-revoked'; room: string; userId: string }
  | { type: 'access-changed'; room: string; userId: string };

export type Publisher = {
  /**
   * Sends an event to the sockets in `room`, wherever they are. Never throws: a room to which an event could not be
   * sent is told to look again, as soon as Redis answers.
   */
  emit<Event extends ServerEvent>(
    room: string,
    event: Event,
    payload: ServerEventPayloads[Event],
    messageSeq?: number,
    exceptSocketId?: string,
  ): Promise<void>;
  /** Sends an order to every process. Never throws; receivers also look at Postgres by themselves. */
  control(message: ControlMessage): Promise<void>;
};

/** The channel on which the events of a room travel. */
export const roomChannel = (room: string): string => `${keyPrefix}room:${room}`;

/** The channel that every process subscribes to. */
export const controlChannel = `${keyPrefix}control`;

export function createPublisher(redis: Redis, logger: Logger): Publisher {
  async function publish(channel: string, message: unknown): Promise<boolean> {
    try {
      await redis.publish(channel, JSON.stringify(message));
      return true;
    } catch (error) {
      logger.debug({ err: error, channel }, 'an event was not published');
      return false;
    }
  }

  const resync = (room: string): Promise<boolean> =>
    publish(roomChannel(room), { e: 'room:resync', p: { room } } satisfies Envelope);
  const missed = createMissedRooms(resync, () => redis.status === 'end');

  return {
    async emit(room, event, payload, messageSeq, exceptSocketId) {
      const envelope = wrap({ e: event, p: payload, q: messageSeq, x: exceptSocketId });
      if (!(await publish(roomChannel(room), envelope))) missed.add(room);
    },
    async control(message) {
      await publish(controlChannel, message);
    },
  };
}

function wrap(envelope: Envelope): Envelope {
  const payload = envelope.p as Record<string, unknown>;
  for (const [field, value] of Object.entries(payload)) {
    if (!(value instanceof Uint8Array)) continue;
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    return { ...envelope, p: { ...payload, [field]: text }, b: field };
  }
  return envelope;
}

/** An envelope as it came over a channel. @throws when it is not JSON. */
export function readEnvelope(message: string): Envelope {
  const envelope = JSON.parse(message) as Envelope;
  if (envelope.b === undefined) return envelope;
  const payload = envelope.p as Record<string, unknown>;
  return { ...envelope, p: { ...payload, [envelope.b]: Buffer.from(payload[envelope.b] as string, 'base64') } };
}
