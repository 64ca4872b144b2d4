import type { Request } from 'express';
import type { AccessTokens } from '../../shared/accounts/access-tokens.js';
import type { OpenSession } from '../../shared/accounts/sessions.js';

/** The tokens of a session as they are answered; `expiresIn` in seconds. */
export async function toTokens(
  accessTokens: AccessTokens,
  userId: string,
  session: OpenSession,
): Promise<{ accessToken: string; refreshToken: string; expiresIn: number }> {
  return {
    accessToken: await accessTokens.sign(userId, session.sessionId),
    refreshToken: session.refreshToken,
    expiresIn: accessTokens.lifetimeSeconds,
  };
}

/** Where a request comes from, for the throttle; behind proxies as TRUST_PROXY says. */
export function addressOf(req: Request): string {
  return req.ip ?? 'unknown';
}
