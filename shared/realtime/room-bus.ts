import type { Redis } from 'ioredis';
import { withTimeout } from '../lifecycle.js';
import type { Logger } from '../logger.js';
import { type ControlMessage, controlChannel, type Envelope, readEnvelope, roomChannel } from './publisher.js';

/** A place on a room's channel. */
export type Subscription = {
  /** Resolves when everything published from now on is heard; waits while Redis is away. */
  ready: Promise<void>;
  stop(): void;
};

/** The one subscription of a process to Redis: rooms as they are needed, and orders to all processes always. */
export type RoomBus = {
  /** Hears the events of a room, in the order in which they were published. One listener per room. */
  listen(room: string, listener: (envelope: Envelope) => void): Subscription;
  onControl(listener: (message: ControlMessage) => void): void;
  /** Told when the connection was lost and is back, after all rooms are heard again: events in between are missed. */
  onRegained(listener: () => void): void;
  close(): void;
};

/** A connection that nobody answers on (a cable pulled, a machine gone) is found out this often, in milliseconds. */
const pingMs = 5_000;

/** @param redis a connection for this alone, opened as `subscriber`; `close` ends it. */
export function createRoomBus(redis: Redis, logger: Logger): RoomBus {
  const listeners = new Map<string, (envelope: Envelope) => void>();
  const onControl: ((message: ControlMessage) => void)[] = [];
  const onRegained: (() => void)[] = [];
  let lost = false;
  let closed = false;

  function hear(channel: string, message: string): void {
    try {
      const listener = listeners.get(channel);
      if (listener) listener(readEnvelope(message));
      else if (channel === controlChannel) for (const tell of onControl) tell(JSON.parse(message) as ControlMessage);
    } catch (error) {
      logger.error({ err: error, channel }, 'an event from Redis could not be handled');
    }
  }

  async function regained(): Promise<void> {
    if (!lost) return;
    lost = false;
    // The client subscribes to everything again by itself, before this: commands of a connection stay in order.
    await redis.subscribe(controlChannel);
    if (lost || closed) return;
    logger.info({ rooms: listeners.size }, 'the subscription to Redis is back');
    for (const tell of onRegained) tell();
  }

  redis.on('message', hear);
  redis.on('ready', () => void regained().catch(() => {}));
  redis.on('close', () => (lost = true));
  redis.subscribe(controlChannel).catch((error: unknown) => {
    if (!closed) logger.error({ err: error }, 'the subscription to orders failed');
  });
  const pings = setInterval(() => {
    if (redis.status !== 'ready') return;
    withTimeout(redis.ping(), pingMs - 500, 'a ping').catch(() => {
      if (!closed && redis.status === 'ready') redis.disconnect(true);
    });
  }, pingMs);
  pings.unref();

  return {
    listen(room, listener) {
      const channel = roomChannel(room);
      listeners.set(channel, listener);
      const ready = redis.subscribe(channel).then(() => undefined);
      return {
        ready,
        stop() {
          if (listeners.get(channel) !== listener) return;
          listeners.delete(channel);
          if (!closed) redis.unsubscribe(channel).catch(() => {});
        },
      };
    },
    onControl: (listener) => void onControl.push(listener),
    onRegained: (listener) => void onRegained.push(listener),
    close() {
      closed = true;
      clearInterval(pings);
      redis.disconnect();
    },
  };
}
