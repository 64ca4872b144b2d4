import type { Redis } from 'ioredis';
import type { Config } from '../config.js';
import { type AccessTokens, createAccessTokens } from './access-tokens.js';
import { createLoginThrottle, type LoginThrottle } from './login-throttle.js';
import { createPasswords, type Passwords } from './passwords.js';

/** What signing in needs, made once per process. */
export type Accounts = { accessTokens: AccessTokens; passwords: Passwords; throttle: LoginThrottle };

/** @param redis a connection that fails at once while Redis is away: signing in goes on without it. */
export function createAccounts(redis: Redis, settings: Config['accounts']): Accounts {
  return {
    accessTokens: createAccessTokens(settings),
    passwords: createPasswords(),
    throttle: createLoginThrottle(redis, settings.loginAttemptsPerQuarterHour),
  };
}
