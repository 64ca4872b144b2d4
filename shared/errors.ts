/**
 * The closed set of error codes. A code is a promise to clients: it is stable, documented in the API
 * description, and decides the HTTP status; the message is for people and may change.
 */
const statuses = {
  invalid_request: 400,
  malformed_json: 400,
  malformed_request: 400,
  invalid_cursor: 400,
  unauthenticated: 401,
  invalid_credentials: 401,
  token_expired: 401,
  token_reused: 401,
  forbidden: 403,
  account_disabled: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  conflict: 409,
  email_taken: 409,
  reply_running: 409,
  precondition_failed: 412,
  idempotency_key_reused: 422,
  payload_too_large: 413,
  uri_too_long: 414,
  unsupported_media_type: 415,
  range_not_satisfiable: 416,
  precondition_required: 428,
  rate_limited: 429,
  headers_too_large: 431,
  internal: 500,
  unavailable: 503,
} as const;

/** One of the stable codes that a problem document or a socket acknowledgement carries. */
export type ErrorCode = keyof typeof statuses;

/** Every code with its HTTP status, for the API description. */
export const errorStatuses: Readonly<Record<ErrorCode, number>> = statuses;

/** One wrong field of a request: where it is and what is wrong with it. */
export type FieldIssue = { path: string; message: string };

type ErrorDetails = {
  /** Wrong fields, for `invalid_request`. */
  issues?: FieldIssue[];
  /** When to try again, in seconds; becomes the `Retry-After` header. */
  retryAfterSeconds?: number;
  cause?: unknown;
};

/** An error that may be shown to the caller as it is: everything else is answered as `internal`. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly issues: FieldIssue[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.name = 'AppError';
    this.code = code;
    this.issues = details.issues;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }

  get status(): number {
    return statuses[this.code];
  }
}

/** The answer for what does not exist and for what the caller may not know to exist: the two look alike. */
export function notFound(what: string): AppError {
  return new AppError('not_found', `${what} does not exist, or you have no access to it.`);
}

/** Thrown by a write of a job's attempt that another attempt has replaced: nothing of it was stored. */
export class ClaimLost extends Error {
  constructor() {
    super('another attempt has taken this job over');
    this.name = 'ClaimLost';
  }
}

/** What went wrong with a job, as its handler knows it: whether to try again, and what to tell people. */
export class JobFailure extends Error {
  /** Stable, for clients. */
  readonly code: string;
  /** Whether the same job may succeed later. */
  readonly transient: boolean;
  /** Whether it lies in what was asked for, as an encrypted file does: operators can do nothing about it. */
  readonly ofRequest: boolean;
  /** When the other side asked to be called again, in milliseconds from now. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: string,
    message: string,
    options: { transient: boolean; ofRequest?: boolean; retryAfterMs?: number; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.transient = options.transient;
    this.ofRequest = options.ofRequest ?? false;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Codes of Postgres and of sockets that mean "not now": a request that meets one may be sent again. */
const unavailableCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  '25P03', // silent within a transaction for too long: Postgres or this process was paused, and nothing is stored
  '53300', // too many connections
  '57P01', // terminated by an administrator: what every connection hears at a restart
  '57P02',
  '57P03', // starting up or shutting down
  '08000',
  '08001',
  '08003',
  '08006',
  'P1001',
  'P1002',
  'P1008',
  'P1017',
  'P2024',
]);

const unavailableMessages =
  /Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end|server closed the connection|Connection is closed|Stream isn't writeable|Connection ended unexpectedly/i;

/** True when `error` says that a store is away for now (restarting, unreachable, out of connections). */
export function isUnavailable(error: unknown): boolean {
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 5; depth += 1) {
    const { code } = current as { code?: unknown };
    if (typeof code === 'string' && unavailableCodes.has(code)) return true;
    if (unavailableMessages.test(current.message)) return true;
    const causeOfAdapter = (current as { meta?: { driverAdapterError?: unknown } }).meta?.driverAdapterError;
    current = causeOfAdapter ?? current.cause;
  }
  return false;
}

/** What a caller is told about `error`: itself when it is ours, 503 when a store is away, else `internal`. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isUnavailable(error)) {
    return new AppError('unavailable', 'The database is not reachable at the moment. Please try again.', {
      retryAfterSeconds: 1,
      cause: error,
    });
  }
  return new AppError('internal', 'Something went wrong on our side. The request id helps to find it in the log.', {
    cause: error,
  });
}
