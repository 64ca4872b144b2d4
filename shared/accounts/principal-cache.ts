import type { Config } from '../config.js';
import type { Sql } from '../database.js';
import { AppError } from '../errors.js';
import type { Logger } from '../logger.js';
import { type AccessTokens, createAccessTokens, tokenExpired } from './access-tokens.js';
import { touchApiKey } from './api-keys.js';
import { checkCredential, type Credential, readCredential } from './credentials.js';
import type { Principal } from './principal.js';

/** Resolves tokens and keys to principals; remembers each for at most a second. */
export type PrincipalCache = {
  /** @throws AppError `unauthenticated`, `token_expired` or `account_disabled`. */
  resolve(token: string): Promise<Principal>;
  /** Forgets what is remembered of an account, because it changed. */
  forget(userId: string): void;
};

/** What a revoked credential can still do at most, when the message that it was revoked got lost. */
const maxAgeMs = 1_000;

/** From this age on the next use asks Postgres beside the request: one that is in steady use never waits for it. */
const renewAfterMs = 500;

const maxEntries = 10_000;

type Entry = { principal: Principal; credential: Credential; checkedAt: number };
type Check = { answer: Promise<Principal>; startedAt: number };

export type PrincipalCacheOptions = {
  database: Sql;
  config: Pick<Config['accounts'], 'jwtSecret' | 'accessTokenSeconds'>;
  logger: Logger;
  /** Given by tests, to count or to share. */
  accessTokens?: AccessTokens;
};

/**
 * Keeps requests away from Postgres and from cryptography: a token in use costs one query by primary key every
 * half second, however many requests carry it, and its signature is checked once.
 */
export function createPrincipalCache(options: PrincipalCacheOptions): PrincipalCache {
  const { database, logger, accessTokens = createAccessTokens(options.config) } = options;
  const entries = new Map<string, Entry>();
  /** Checks under way: requests with the same token wait for the same one. */
  const checks = new Map<string, Check>();
  /** Raised whenever something is forgotten: an older check's answer must not be remembered after that. */
  let epoch = 0;

  function remember(token: string, entry: Entry): void {
    entries.delete(token);
    entries.set(token, entry);
    if (entries.size > maxEntries) entries.delete(entries.keys().next().value ?? '');
  }

  async function ask(token: string, startedAt: number): Promise<Principal> {
    const epochAtStart = epoch;
    const credential = entries.get(token)?.credential ?? (await readCredential(accessTokens, token));
    try {
      const { principal, touchDue } = await checkCredential(database, credential);
      if (touchDue) touch(credential.id);
      // The age counts from before the query: what it saw may have changed since.
      if (epoch === epochAtStart) remember(token, { principal, credential, checkedAt: startedAt });
      return principal;
    } catch (error) {
      if (error instanceof AppError) entries.delete(token);
      throw error;
    }
  }

  function check(token: string): Promise<Principal> {
    const startedAt = performance.now();
    const running = checks.get(token);
    // One that has been hanging for a second may have looked before a change that this request must see.
    if (running && startedAt - running.startedAt < maxAgeMs) return running.answer;
    const answer = ask(token, startedAt).finally(() => {
      if (checks.get(token)?.answer === answer) checks.delete(token);
    });
    checks.set(token, { answer, startedAt });
    return answer;
  }

  function touch(keyId: string): void {
    touchApiKey(database, keyId).catch((error: unknown) => {
      logger.debug({ err: error }, 'the use of an API key was not noted');
    });
  }

  return {
    async resolve(token) {
      const entry = entries.get(token);
      if (!entry) return check(token);
      const { principal, checkedAt } = entry;
      if (principal.expiresAt !== null && principal.expiresAt <= Date.now()) {
        entries.delete(token);
        throw tokenExpired();
      }
      const age = performance.now() - checkedAt;
      if (age >= maxAgeMs) return check(token);
      // When this one fails, the next request asks again and hears why.
      if (age >= renewAfterMs) check(token).catch(() => undefined);
      return principal;
    },
    forget(userId) {
      epoch += 1;
      checks.clear();
      for (const [token, entry] of entries) if (entry.principal.userId === userId) entries.delete(token);
    },
  };
}
