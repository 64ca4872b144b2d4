import type { PrincipalCache } from '../../shared/accounts/principal-cache.js';
import type { Context } from '../../shared/context.js';
import { createRoomBus } from '../../shared/realtime/room-bus.js';
import { connectRedis } from '../../shared/redis.js';
import { createAccessWatch } from './access-watch.js';
import { createCredentialWatch, type CredentialWatch } from './credential-watch.js';
import { createOpenRooms, type OpenRooms } from './open-rooms.js';
import { createOpenStreams, type OpenStreams } from './open-streams.js';

/** What sockets and event streams of a web process share: the rooms, and what ends the right to be in them. */
export type RealtimeHub = {
  rooms: OpenRooms;
  credentials: CredentialWatch;
  streams: OpenStreams;
};

/** Opens the process's subscription to Redis; closed with the context. */
export function createRealtimeHub(ctx: Context & { principals: PrincipalCache }): RealtimeHub {
  const { database, logger, principals } = ctx;
  const bus = createRoomBus(connectRedis(ctx.config.redis.url, 'subscriber', logger), logger);
  const rooms = createOpenRooms(bus);
  const access = createAccessWatch({ rooms, database, bus, logger });
  const credentials = createCredentialWatch({ principals, database, bus, logger });
  ctx.lifecycle.onClose('rooms', () => {
    access.close();
    credentials.close();
    bus.close();
  });
  return { rooms, credentials, streams: createOpenStreams() };
}
