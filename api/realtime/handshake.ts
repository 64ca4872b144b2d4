import { z } from 'zod';
import type { PrincipalCache } from '../../shared/accounts/principal-cache.js';
import { AppError, isUnavailable, toAppError } from '../../shared/errors.js';
import type { Logger } from '../../shared/logger.js';
import { type ClientSocket, createSession } from './session.js';

const authSchema = z.object({ token: z.string().min(1).max(4096) });

type Next = (error?: Error & { data?: unknown }) => void;

/**
 * Lets a socket in that says who it is: `auth: {token}`, an access token or an API key. What is refused arrives
 * at the client as `connect_error` with `data: {type, message}`.
 */
export function createHandshake(deps: { principals: PrincipalCache; logger: Logger; closing(): boolean }) {
  return (socket: ClientSocket, next: Next): void => {
    admit(deps, socket).then(
      () => next(),
      (thrown: unknown) => {
        const error = toAppError(thrown);
        if (error.code === 'internal') deps.logger.error({ err: thrown }, 'a socket could not be let in');
        else if (isUnavailable(thrown)) deps.logger.warn({ err: thrown }, 'a socket could not be let in');
        next(Object.assign(new Error(error.message), { data: { type: error.code, message: error.message } }));
      },
    );
  };
}

async function admit(
  { principals, closing }: { principals: PrincipalCache; closing(): boolean },
  socket: ClientSocket,
): Promise<void> {
  if (closing()) throw new AppError('unavailable', 'This process is shutting down. Please connect again.');
  const auth = authSchema.safeParse(socket.handshake.auth);
  if (!auth.success) throw new AppError('unauthenticated', 'Connect with auth: {token: <access token or API key>}.');
  const { token } = auth.data;
  socket.data.session = createSession(socket, token, await principals.resolve(token));
}
