import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Logger } from '../logger.js';
import { presenceKey, presenceScripts } from './presence-scripts.js';

/** Somebody who has a room open. */
export type Present = { userId: string; name: string };

/** Who has which room open, in all processes together; announced as `user:joined` and `user:left`. */
export type Presence = {
  /** A connection entered the room. What cannot be told now is told with a later heartbeat. */
  enter(room: string, connectionId: string, who: Present): void;
  leave(room: string, connectionId: string): void;
  /** Another process said that this account has left the room: put right when it is here. */
  correct(room: string, userId: string): void;
  /** Some who are there, at most 100. @throws while Redis is away. */
  list(room: string): Promise<Present[]>;
  /** Announces that everybody here has left. */
  close(): Promise<void>;
};

/** A process that was not heard of for `expireMs` counts as dead: another one announces that its users left. */
const beatMs = 3_000;
const expireMs = 10_000;

const maxListed = 100;

type Options = { redis: Redis; logger: Logger; beatMs?: number; expireMs?: number };

/**
 * The truth is which connections this process has; Redis is told of it and can be flushed at any time: what is
 * known here is written again, without announcing anybody who was announced before.
 */
export function createPresence({ redis, logger, ...times }: Options): Presence {
  const processId = randomUUID();
  const scripts = presenceScripts(redis);
  /** By room and user the connections here. */
  const here = new Map<string, Map<string, { name: string; connections: Set<string> }>>();
  /** Places whose last change did not reach Redis, as `<room> <user>`. */
  const untold = new Map<string, { room: string; userId: string; name: string }>();
  let closed = false;

  /** Tells what is so at this moment: a repeat does no harm, and the last word is the right one. */
  function tell(room: string, userId: string, name: string, quiet = false): void {
    if (closed) return;
    const present = here.get(room)?.has(userId) ?? false;
    scripts.set({ processId, room, userId, name, present, quiet }).catch((error: unknown) => {
      untold.set(`${room} ${userId}`, { room, userId, name });
      logger.debug({ err: error }, 'presence could not be told');
    });
  }

  async function beat(): Promise<void> {
    const found = await scripts.beat(processId, times.expireMs ?? expireMs);
    const waiting = new Map(untold);
    untold.clear();
    if (found !== 'known') {
      for (const [room, users] of here) {
        // After a flush everybody was announced before, and still is there; only who waits to be told is not.
        for (const [userId, { name }] of users) {
          if (!waiting.has(`${room} ${userId}`)) tell(room, userId, name, found === 'unknown');
        }
      }
    }
    for (const { room, userId, name } of waiting.values()) tell(room, userId, name);
    while (!closed && (await scripts.clear(null)));
  }

  let beating: Promise<void> | null = null;
  const beatOnce = (): void => {
    beating ??= beat()
      .catch((error: unknown) => logger.debug({ err: error }, 'the heartbeat of presence failed'))
      .finally(() => (beating = null));
  };
  const timer = setInterval(beatOnce, times.beatMs ?? beatMs);
  timer.unref();
  beatOnce();

  return {
    enter(room, connectionId, { userId, name }) {
      const users = here.get(room) ?? new Map<string, { name: string; connections: Set<string> }>();
      here.set(room, users);
      const known = users.get(userId);
      if (known) {
        known.connections.add(connectionId);
        return;
      }
      users.set(userId, { name, connections: new Set([connectionId]) });
      tell(room, userId, name);
    },
    leave(room, connectionId) {
      const users = here.get(room);
      for (const [userId, { name, connections }] of users ?? []) {
        if (!connections.delete(connectionId) || connections.size > 0) continue;
        users?.delete(userId);
        if (users?.size === 0) here.delete(room);
        tell(room, userId, name);
      }
    },
    correct(room, userId) {
      const user = here.get(room)?.get(userId);
      if (user) tell(room, userId, user.name);
    },
    async list(room) {
      const stored = await redis.hgetall(presenceKey(room));
      return Object.entries(stored)
        .slice(0, maxListed)
        .map(([userId, entry]) => ({ userId, name: (JSON.parse(entry) as { name: string }).name }));
    },
    async close() {
      closed = true;
      clearInterval(timer);
      await beating;
      while (await scripts.clear(processId));
    },
  };
}
