/** What the server refused, or that the client was closed; `type` is one of the error codes of the HTTP API. */
export class ClientError extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.name = 'ClientError';
    this.type = type;
  }
}

export const closedError = (): ClientError => new ClientError('closed', 'The client was closed.');

/** Refusals that say "not now". */
export const isPassing = (type: string): boolean => ['unavailable', 'rate_limited', 'internal'].includes(type);

/** Refusals that another token can help against. */
export const isAboutToken = (type: string): boolean =>
  ['unauthenticated', 'token_expired', 'account_disabled'].includes(type);

/** Milliseconds before try number `tries`: 100 to `most`, doubled each time, spread so that clients do not come at once. */
export function backoffMs(tries: number, most = 5_000): number {
  return Math.min(100 * 2 ** Math.min(tries, 10), most) * (0.5 + Math.random() / 2);
}
