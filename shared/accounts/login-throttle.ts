import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  RLWrapperTimeouts,
} from 'rate-limiter-flexible';
import { AppError } from '../errors.js';
import { keyPrefix } from '../redis.js';
import { networkOf } from './network.js';
import type { Attempt } from './passwords.js';

const windowSeconds = 15 * 60;

/** A sign-in waits this long for Redis to count; then memory counts. In milliseconds. */
const redisTimeoutMs = 250;

/** Several people share an address: one who mistypes is stopped by the account's limit before the address's. */
const failuresPerAddress = 2;

/** Registering guesses nothing; what is limited is filling the table, and asking which addresses have an account. */
const registrationsPerAddress = 20;

/** Slows down guessing passwords, for all web processes together. */
export type LoginThrottle = {
  /** A guess at the password of an account from an address. Only wrong ones count. */
  attempt(from: { address: string; email: string }): Attempt;
  /** Counts a registration. @throws AppError `rate_limited` with the time to wait. */
  registration(address: string): Promise<void>;
};

/**
 * Counts in Redis, in windows of a quarter of an hour from the first failure: `perQuarterHour` wrong passwords
 * of one account, twice as many from one address (an IPv6 address counts as its /64), and twenty times as many
 * registrations. While Redis is away, or slow, each process counts in its own memory.
 *
 * A locked account refuses the right password too, else the lock would only hide which guess was right; whoever
 * is signed in stays so, because refreshing is not limited.
 */
export function createLoginThrottle(redis: Redis, perQuarterHour: number): LoginThrottle {
  const limits = {
    account: perQuarterHour,
    address: perQuarterHour * failuresPerAddress,
    registration: perQuarterHour * registrationsPerAddress,
  };
  const accounts = counter(redis, 'account', limits.account);
  const addresses = counter(redis, 'address', limits.address);
  const registrations = counter(redis, 'registration', limits.registration);

  return {
    attempt({ address, email }) {
      const account = createHash('sha256').update(email).digest('base64url');
      const network = networkOf(address);
      return {
        async check() {
          const [ofAccount, ofAddress] = await Promise.all([accounts.get(account), addresses.get(network)]);
          if (ofAccount && ofAccount.consumedPoints >= limits.account) throw refused(ofAccount);
          if (ofAddress && ofAddress.consumedPoints >= limits.address) throw refused(ofAddress);
        },
        async failed() {
          await Promise.all([accounts.penalty(account), addresses.penalty(network)]);
        },
      };
    },
    async registration(address) {
      try {
        await registrations.consume(networkOf(address));
      } catch (error) {
        throw error instanceof RateLimiterRes ? refused(error) : error;
      }
    },
  };
}

function counter(redis: Redis, name: string, points: number): RateLimiterAbstract {
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `${keyPrefix}throttle:${name}`,
    points,
    duration: windowSeconds,
    rejectIfRedisNotReady: true,
  });
  // Memory stands in for the wrapper and not for the limiter inside: a command that times out here and fails later
  // would be counted there twice.
  const insuranceLimiter = new RateLimiterMemory({ points, duration: windowSeconds });
  return new RLWrapperTimeouts({ limiter, insuranceLimiter, timeoutMs: redisTimeoutMs });
}

function refused(result: RateLimiterRes): AppError {
  const retryAfterSeconds = Math.max(1, Math.ceil(result.msBeforeNext / 1000));
  return new AppError('rate_limited', 'Too many attempts. Please wait before trying again.', { retryAfterSeconds });
}
