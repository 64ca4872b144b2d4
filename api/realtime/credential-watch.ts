import { tokenExpired } from '../../shared/accounts/access-tokens.js';
import { findEndedCredentials } from '../../shared/accounts/ended-credentials.js';
import type { PrincipalCache } from '../../shared/accounts/principal-cache.js';
import type { Principal } from '../../shared/accounts/principal.js';
import type { Sql } from '../../shared/database.js';
import { AppError, isUnavailable } from '../../shared/errors.js';
import type { Logger } from '../../shared/logger.js';
import type { RoomBus } from '../../shared/realtime/room-bus.js';

/** A connection that was opened with a token or key. */
export type Holder = {
  token: string;
  principal: Principal;
  /** Told of the account as it is now, when it has changed. */
  changed?(principal: Principal): void;
  /** The token or key is not accepted any more. */
  ended(reason: AppError): void;
};

/** Ends open connections when what they were opened with expires or is revoked. */
export type CredentialWatch = {
  /** Until the returned function is called. */
  watch(holder: Holder): () => void;
  close(): void;
};

type Options = { principals: PrincipalCache; database: Sql; bus: RoomBus; logger: Logger };

/** How long a revocation whose message got lost can stay unseen, in milliseconds. */
const checkMs = 3_000;

/** Timers of Node hold at most 2^31 - 1 ms; who is connected longer is looked at again then. */
const maxTimerMs = 2 ** 31 - 1;

export function createCredentialWatch({ principals, database, bus, logger }: Options): CredentialWatch {
  const holders = new Map<Holder, NodeJS.Timeout | undefined>();

  function stop(holder: Holder): void {
    clearTimeout(holders.get(holder));
    holders.delete(holder);
  }

  function end(holder: Holder, reason: AppError): void {
    if (!holders.has(holder)) return;
    stop(holder);
    holder.ended(reason);
  }

  async function check(holder: Holder): Promise<void> {
    try {
      const principal = await principals.resolve(holder.token);
      if (holders.has(holder)) holder.changed?.(principal);
    } catch (error) {
      if (error instanceof AppError && error.status !== 503) end(holder, error);
      else if (!isUnavailable(error)) logger.warn({ err: error }, 'a connection could not be checked');
    }
  }

  async function checkAll(): Promise<void> {
    if (holders.size === 0) return;
    const credentials = new Map(
      [...holders.keys()].map(({ principal }) => [principal.credential.id, principal.credential]),
    );
    const ended = await findEndedCredentials(database, [...credentials.values()]);
    for (const holder of [...holders.keys()]) {
      if (!ended.has(holder.principal.credential.id)) continue;
      principals.forget(holder.principal.userId);
      void check(holder);
    }
  }

  function expireLater(holder: Holder): NodeJS.Timeout | undefined {
    const { expiresAt } = holder.principal;
    if (expiresAt === null) return undefined;
    const timer = setTimeout(
      () => {
        if (expiresAt > Date.now()) holders.set(holder, expireLater(holder));
        else end(holder, tokenExpired());
      },
      Math.min(Math.max(expiresAt - Date.now(), 0), maxTimerMs),
    );
    return timer.unref();
  }

  bus.onControl((message) => {
    if (message.type !== 'principal-changed') return;
    principals.forget(message.userId);
    for (const holder of [...holders.keys()]) if (holder.principal.userId === message.userId) void check(holder);
  });
  let checking = false;
  const timer = setInterval(() => {
    if (checking) return;
    checking = true;
    checkAll()
      .catch((error: unknown) => logger.debug({ err: error }, 'the connections could not be checked'))
      .finally(() => (checking = false));
  }, checkMs);
  timer.unref();

  return {
    watch(holder) {
      holders.set(holder, expireLater(holder));
      return () => stop(holder);
    },
    close() {
      clearInterval(timer);
      for (const holder of [...holders.keys()]) stop(holder);
    },
  };
}
