import type { PrincipalCache } from '../../shared/accounts/principal-cache.js';
import type { Principal } from '../../shared/accounts/principal.js';
import { AppError } from '../../shared/errors.js';
import { jobOf } from '../../shared/realtime/rooms.js';
import { endSession } from './end-session.js';
import type { RealtimeHub } from './hub.js';
import type { EventHandlers } from './receive-event.js';
import type { Session } from './session.js';
import { leaveRoom } from './socket-rooms.js';

type Deps = { principals: PrincipalCache; realtime: RealtimeHub };

/** The account as it is now. Who was an admin and is one no more keeps no room of other people's jobs. */
export function takePrincipal(deps: Pick<Deps, 'realtime'>, session: Session, principal: Principal): void {
  const before = session.principal.role;
  session.principal = principal;
  if (before !== 'admin' || principal.role === 'admin') return;
  for (const room of [...session.rooms].filter((room) => jobOf(room) !== null)) {
    leaveRoom(deps, session, room);
    session.socket.emit('access:revoked', { room });
  }
}

/** Watches the token of a session, and tells the client until when it is good. */
export function watchToken(deps: Deps, session: Session): void {
  session.unwatch();
  session.unwatch = deps.realtime.credentials.watch({
    token: session.token,
    principal: session.principal,
    changed: (principal) => takePrincipal(deps, session, principal),
    ended: (reason) => endSession(session, reason),
  });
  const { userId, name, expiresAt } = session.principal;
  const expiresInMs = expiresAt === null ? null : Math.max(0, expiresAt - Date.now());
  session.socket.emit('session', { userId, name, expiresAt, expiresInMs });
}

/** A connection outlives the tokens that it is renewed with. */
export function renewHandlers(deps: Deps): Pick<EventHandlers, 'authenticate'> {
  return {
    async authenticate(session, { token }) {
      const principal = await deps.principals.resolve(token);
      if (principal.userId !== session.principal.userId) {
        throw new AppError('forbidden', 'The token is of another account. Open a new connection for it.');
      }
      session.token = token;
      takePrincipal(deps, session, principal);
      watchToken(deps, session);
      return { expiresAt: principal.expiresAt };
    },
  };
}
