import type { Redis } from 'ioredis';
import { keyPrefix } from '../redis.js';
import { roomChannel } from './publisher.js';

/** Processes that hold rooms open, by when they count as dead unless they are heard of. */
const processesKey = `${keyPrefix}presence:processes`;

/** The rooms that a process has put somebody into. */
const roomsKey = (processId: string): string => `${keyPrefix}presence:rooms:${processId}`;

/** Who is in a room: by user id a name and the processes that say so. */
export const presenceKey = (room: string): string => `${keyPrefix}presence:room:${room}`;

/**
 * Functions of all scripts. A user is in a room while at least one process says so; the change and its
 * announcement are one step, so that of several processes exactly one announces, in the order of what happened.
 */
const common = `
local function announce(event, room, user, name)
  local payload = { room = room, userId = user, name = name }
  redis.call('PUBLISH', '${roomChannel('')}' .. room, cjson.encode({ e = event, p = payload }))
end
local function put(room, user, name, process, quiet)
  local key = '${presenceKey('')}' .. room
  local stored = redis.call('HGET', key, user)
  local entry = stored and cjson.decode(stored) or { name = name, in_ = {} }
  redis.call('SADD', '${roomsKey('')}' .. process, room)
  if entry.in_[process] then return end
  entry.in_[process] = true
  redis.call('HSET', key, user, cjson.encode(entry))
  if not stored and not quiet then announce('user:joined', room, user, name) end
end
local function take(room, user, process)
  local key = '${presenceKey('')}' .. room
  local stored = redis.call('HGET', key, user)
  if not stored then return end
  local entry = cjson.decode(stored)
  if not entry.in_[process] then return end
  entry.in_[process] = nil
  if next(entry.in_) then
    redis.call('HSET', key, user, cjson.encode(entry))
  else
    redis.call('HDEL', key, user)
    announce('user:left', room, user, entry.name)
  end
end
local function clear(room, process)
  local users = redis.call('HKEYS', '${presenceKey('')}' .. room)
  for _, user in ipairs(users) do take(room, user, process) end
  redis.call('SREM', '${roomsKey('')}' .. process, room)
end
`;

/** ARGV: process, room, user, name, whether the user is there ('1'), whether to say nothing ('1'). */
const setScript = `${common}
if ARGV[5] == '1' then put(ARGV[2], ARGV[3], ARGV[4], ARGV[1], ARGV[6] == '1') else take(ARGV[2], ARGV[3], ARGV[1]) end
return 1`;

/** Says that a process was taken for dead, in case it only slept. */
const buriedKey = (processId: string): string => `${keyPrefix}presence:buried:${processId}`;

/** ARGV: process, milliseconds until it counts as dead. Answers 0 when all is well, 2 when it was buried, else 1. */
const beatScript = `
local time = redis.call('TIME')
local expiry = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]
local added = redis.call('ZADD', '${processesKey}', expiry, ARGV[1])
if redis.call('DEL', '${buriedKey('')}' .. ARGV[1]) == 1 then return 2 end
return added`;

/**
 * Clears up after one process: the given one, or one that has not been heard of. Some rooms at a time, so that
 * nobody else waits long. ARGV: process or ''. Answers 1 while there may be more.
 */
const clearScript = `${common}
local process = ARGV[1]
if process == '' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  process = redis.call('ZRANGEBYSCORE', '${processesKey}', '-inf', now, 'LIMIT', 0, 1)[1]
  if not process then return 0 end
  redis.call('SET', '${buriedKey('')}' .. process, '1', 'EX', 86400)
end
local rooms = redis.call('SRANDMEMBER', '${roomsKey('')}' .. process, 100)
for _, room in ipairs(rooms) do clear(room, process) end
if #rooms == 0 then redis.call('ZREM', '${processesKey}', process) end
return (#rooms > 0 or ARGV[1] == '') and 1 or 0`;

/** The steps of presence, each atomic. They use keys that their arguments do not name: one Redis, not a cluster. */
export type PresenceScripts = {
  set(place: {
    processId: string;
    room: string;
    userId: string;
    name: string;
    present: boolean;
    quiet: boolean;
  }): Promise<unknown>;
  /**
   * Says that the process lives. `unknown`: it is new, or Redis was flushed. `buried`: it was taken for dead, and
   * its users were announced as gone.
   */
  beat(processId: string, expireMs: number): Promise<'known' | 'unknown' | 'buried'>;
  /** @returns true while there may be more to clear. */
  clear(processId: string | null): Promise<boolean>;
};

type Defined = Redis & {
  millracePresenceSet(...args: string[]): Promise<unknown>;
  millracePresenceBeat(...args: string[]): Promise<number>;
  millracePresenceClear(...args: string[]): Promise<number>;
};

export function presenceScripts(redis: Redis): PresenceScripts {
  redis.defineCommand('millracePresenceSet', { numberOfKeys: 0, lua: setScript });
  redis.defineCommand('millracePresenceBeat', { numberOfKeys: 0, lua: beatScript });
  redis.defineCommand('millracePresenceClear', { numberOfKeys: 0, lua: clearScript });
  const defined = redis as Defined;
  const flag = (value: boolean): string => (value ? '1' : '0');
  return {
    set: ({ processId, room, userId, name, present, quiet }) =>
      defined.millracePresenceSet(processId, room, userId, name, flag(present), flag(quiet)),
    async beat(processId, expireMs) {
      const answer = await defined.millracePresenceBeat(processId, String(expireMs));
      return answer === 2 ? 'buried' : answer === 1 ? 'unknown' : 'known';
    },
    clear: async (processId) => (await defined.millracePresenceClear(processId ?? '')) === 1,
  };
}
