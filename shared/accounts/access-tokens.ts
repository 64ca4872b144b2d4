import { createSecretKey } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { AppError } from '../errors.js';

const issuer = 'millrace';
const audience = 'millrace';

/** What an access token says, after its signature was checked. */
export type AccessClaims = {
  userId: string;
  sessionId: string;
  /** In epoch milliseconds. */
  expiresAt: number;
};

const claimsSchema = z.object({ sub: z.uuid(), sid: z.uuid(), exp: z.int() });

/** Signs and checks access tokens: JWTs that live for minutes and name an account and its session. */
export type AccessTokens = {
  /** How long a new token is accepted, in seconds. */
  lifetimeSeconds: number;
  sign(userId: string, sessionId: string): Promise<string>;
  /** @throws AppError `token_expired`, or `unauthenticated` for anything that was not signed here for this use. */
  verify(token: string): Promise<AccessClaims>;
};

export function createAccessTokens(settings: { jwtSecret: string; accessTokenSeconds: number }): AccessTokens {
  const key = createSecretKey(Buffer.from(settings.jwtSecret, 'utf8'));
  return {
    lifetimeSeconds: settings.accessTokenSeconds,
    sign: (userId, sessionId) =>
      new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setSubject(userId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1000) + settings.accessTokenSeconds)
        .sign(key),
    async verify(token) {
      try {
        // The algorithm is ours to say, never the token's: this is what refuses `none` and public-key tricks.
        const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'], issuer, audience });
        const claims = claimsSchema.parse(payload);
        return { userId: claims.sub, sessionId: claims.sid, expiresAt: claims.exp * 1000 };
      } catch (error) {
        if (error instanceof errors.JWTExpired) throw tokenExpired();
        if (error instanceof errors.JOSEError || error instanceof z.ZodError) throw invalidToken();
        throw error;
      }
    },
  };
}

export function tokenExpired(): AppError {
  return new AppError('token_expired', 'The access token or API key has expired.');
}

/** One answer for forged, foreign, unknown and revoked credentials: which of them it is helps only an attacker. */
export function invalidToken(): AppError {
  return new AppError('unauthenticated', 'The access token or API key is not valid, or it was revoked.');
}
