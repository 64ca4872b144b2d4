import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import { createPresence, type Presence } from '../../shared/realtime/presence.js';
import { isShared } from '../../shared/realtime/rooms.js';
import { rooms, type ServerEventPayloads } from '../../shared/realtime/events.js';
import type { WebContext } from '../context.js';
import { conversationRoomHandlers } from './conversation-room.js';
import { endSession } from './end-session.js';
import { documentRoomHandlers, hideCursor } from './document-room.js';
import { emitBinary } from './emit-binary.js';
import { createHandshake } from './handshake.js';
import { messageHandlers } from './message-events.js';
import { type EventHandlers, maxMessageBytes, receiveEvent } from './receive-event.js';
import { renewHandlers, takePrincipal, watchToken } from './renew.js';
import { resumeReply } from './resume-reply.js';
import type { ClientSocket, SocketServer } from './session.js';
import { startSlowSocketGuard } from './slow-sockets.js';
import { enterRoom, leaveRoom } from './socket-rooms.js';
import { stopTyping, typingHandlers } from './typing.js';
import { endsJob, jobHandlers } from './watch-job.js';

/** The socket side of a web process. */
export type Realtime = {
  /** Stops taking connections, announces that its users have left, and ends the connections: clients go elsewhere. */
  close(): Promise<void>;
};

/**
 * Serves Socket.IO at /socket.io of an HTTP server. Any number of processes may serve the same rooms. Clients that
 * use long polling, and not WebSocket from the start, need a balancer that sends a client's requests to one process.
 */
export function createRealtime(ctx: WebContext, httpServer: HttpServer): Realtime {
  const { config, logger, principals, realtime } = ctx;
  const { corsOrigins } = config.web;
  const io: SocketServer = new Server(httpServer, {
    cors: { origin: corsOrigins.includes('*') ? '*' : corsOrigins },
    maxHttpBufferSize: maxMessageBytes,
    // What is not of Socket.IO is answered elsewhere: ignore-upgrades.ts.
    destroyUpgrade: false,
    connectTimeout: 10_000,
    pingInterval: 20_000,
    // A pong, or a ping, waits behind an edit of a few megabytes: on a line of 1 Mbit/s for most of this time.
    pingTimeout: 45_000,
  });
  const presence = createPresence({ redis: ctx.redis, logger });
  const handlers: EventHandlers = {
    ...renewHandlers(ctx),
    ...conversationRoomHandlers(ctx, presence),
    ...typingHandlers(ctx),
    ...messageHandlers(ctx),
    ...documentRoomHandlers(ctx, presence),
    ...jobHandlers(ctx),
    'reply:resume': ({ principal }, { messageId, attempt, after }) =>
      resumeReply(ctx, { messageId, userId: principal.userId, role: principal.role }, { attempt, after }),
  };
  const deps = {
    handlers,
    principals,
    logger,
    refreshed: takePrincipal.bind(null, ctx),
    ended: endSession,
  };
  const leave = (socketId: string, room: string): void => {
    const socket: ClientSocket | undefined = io.of('/').sockets.get(socketId);
    if (socket) leaveRoom(ctx, socket.data.session, room);
  };
  let closing = false;

  io.use(createHandshake({ principals, logger, closing: () => closing }));
  followRooms(ctx, io, presence);
  realtime.rooms.serveSockets((room, { e, p, q, b }, hidden) => {
    // Before those who are told can go on with it.
    if (e === 'document:update') ctx.documentClocks.hear(p as ServerEventPayloads['document:update']);
    const joined = io.of('/').adapter.rooms.get(room);
    if (joined && b !== undefined) emitBinary(socketsOf(io, joined, hidden), e, p);
    else if (joined)
      io.to(room)
        .except(hidden)
        .emit(e, p as never);
    if (endsJob(e, p)) for (const id of [...(joined ?? [])]) leave(id, room);
    if (e === 'user:left' && q === undefined) presence.correct(room, (p as { userId: string }).userId);
  });
  io.on('connection', (socket) => {
    const { session } = socket.data;
    socket.onAny((event: unknown, ...args: unknown[]) => void receiveEvent(deps, session, event, args));
    socket.on('disconnect', () => {
      session.unwatch();
      for (const room of session.rooms) realtime.rooms.exit(room, socket.id);
      session.rooms.clear();
    });
    watchToken(ctx, session);
    const own = rooms.user(session.principal.userId);
    // What concerns the account itself; while Redis is away there is nothing to be heard.
    enterRoom(ctx, session, own, async () => ({ readsFromSeq: 0 })).catch(() => {});
  });
  io.engine.on('connection_error', (error: { code: number; message: string }) => {
    logger.debug({ code: error.code, reason: error.message }, 'a connection was refused');
  });
  const guard = startSlowSocketGuard(io, logger);
  ctx.metrics.watchSockets(() => ({ sockets: io.of('/').sockets.size, rooms: realtime.rooms.names().length }));

  return {
    async close() {
      closing = true;
      guard.close();
      realtime.streams.endAll();
      await presence.close().catch((error: unknown) => logger.debug({ err: error }, 'presence was not cleared'));
      // Without a word of the protocol: a client that is told to disconnect would not come back by itself.
      io.engine.close();
    },
  };
}

function socketsOf(io: SocketServer, ids: Set<string>, hidden: string[]): ClientSocket[] {
  return [...ids].flatMap((id) => (hidden.includes(id) ? [] : (io.of('/').sockets.get(id) ?? [])));
}

/** Presence and typing follow the sockets' rooms, however a socket came to leave one. */
function followRooms(ctx: WebContext, io: SocketServer, presence: Presence): void {
  const { adapter, sockets } = io.of('/');
  adapter.on('join-room', (room: string, socketId: string) => {
    const session = sockets.get(socketId)?.data.session;
    if (session && isShared(room)) presence.enter(room, socketId, session.principal);
  });
  adapter.on('leave-room', (room: string, socketId: string) => {
    if (!isShared(room)) return;
    presence.leave(room, socketId);
    const socket: ClientSocket | undefined = sockets.get(socketId);
    if (!socket) return;
    stopTyping(ctx, socket.data.session, room);
    hideCursor(ctx, socket.data.session, room);
  });
}
