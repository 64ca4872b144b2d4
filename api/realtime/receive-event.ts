import type { PrincipalCache } from '../../shared/accounts/principal-cache.js';
import type { Principal } from '../../shared/accounts/principal.js';
import { AppError, toAppError } from '../../shared/errors.js';
import type { Logger } from '../../shared/logger.js';
import {
  type ClientEvent,
  type ClientEventAck,
  type ClientEventPayload,
  clientEvents,
  type Refusal,
} from '../../shared/realtime/events.js';
import { maxUpdateBytes } from '../../shared/realtime/update-size.js';
import type { Bucket } from './bucket.js';
import { exceedsSize } from './payload-size.js';
import type { Session } from './session.js';

/** For every client event what it does; the result is acknowledged with `ok: true`. */
export type EventHandlers = {
  [Event in ClientEvent]: (
    session: Session,
    payload: ClientEventPayload<Event>,
  ) => Promise<Omit<ClientEventAck<Event>, 'ok'>>;
};

type Deps = {
  handlers: EventHandlers;
  principals: PrincipalCache;
  logger: Logger;
  /** Told of the account as it is at this event. */
  refreshed(session: Session, principal: Principal): void;
  /** Told when the socket's token is not accepted any more. */
  ended(session: Session, reason: AppError): void;
};

/** An event of more bytes than this is refused by acknowledgement; one of {@link maxMessageBytes} closes the connection. */
const maxEventBytes = 1024 * 1024;

/** What one message on the wire may have before it is parsed. */
export const maxMessageBytes = 16 * 1024 * 1024;

/**
 * Does what an event asks for and acknowledges it. Never throws, whatever was sent: what a client can send wrong
 * comes back as a refusal, and events without an acknowledgement callback are done all the same.
 */
export async function receiveEvent(deps: Deps, session: Session, event: unknown, args: unknown[]): Promise<void> {
  const last = args.at(-1);
  const acknowledge = typeof last === 'function' ? (last as (answer: unknown) => void) : () => {};
  const payloads = typeof last === 'function' ? args.slice(0, -1) : args;
  try {
    acknowledge({ ok: true, ...(await handle(deps, session, event, payloads)) });
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code === 'internal') deps.logger.error({ err: thrown, event: name(event) }, 'a socket event failed');
    acknowledge({ ok: false, error: { type: error.code, message: error.message } } satisfies Refusal);
  }
}

async function handle(deps: Deps, session: Session, event: unknown, payloads: unknown[]): Promise<object> {
  if (!bucketOf(session, event).take()) {
    throw new AppError('rate_limited', 'Too many events. Please wait a second.', { retryAfterSeconds: 1 });
  }
  if (!isClientEvent(event)) throw new AppError('invalid_request', `There is no event "${name(event)}".`);
  const limit = event === 'document:update' ? maxUpdateBytes + 1_024 : maxEventBytes;
  if (exceedsSize(payloads, limit)) {
    throw new AppError('payload_too_large', `This event may have at most ${limit} bytes.`);
  }
  if (payloads.length !== 1) throw new AppError('invalid_request', `"${event}" takes one object.`);
  const parsed = clientEvents[event].payload.safeParse(payloads[0]);
  if (!parsed.success) {
    const issues = parsed.error.issues
      .slice(0, 10)
      .map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
    throw new AppError('invalid_request', `The payload has mistakes: ${issues.join('; ')}.`.slice(0, 1_000));
  }
  // Renewing is what a token that is about to end is good for.
  if (event !== 'authenticate') await refresh(deps, session);
  const handler = deps.handlers[event] as (session: Session, payload: unknown) => Promise<object>;
  return handler(session, parsed.data);
}

function bucketOf(session: Session, event: unknown): Bucket {
  if (event === 'document:update') return session.typingBucket;
  return event === 'document:awareness' ? session.cursorBucket : session.bucket;
}

/** What an account may do is asked again for every event; the cache knows it for a second. */
async function refresh(deps: Deps, session: Session): Promise<void> {
  try {
    deps.refreshed(session, await deps.principals.resolve(session.token));
  } catch (error) {
    if (error instanceof AppError && error.status !== 503) deps.ended(session, error);
    throw error;
  }
}

function isClientEvent(event: unknown): event is ClientEvent {
  return typeof event === 'string' && Object.hasOwn(clientEvents, event);
}

const name = (event: unknown): string => String(event).slice(0, 64);
