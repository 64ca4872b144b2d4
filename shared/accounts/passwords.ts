import { randomBytes } from 'node:crypto';
import argon2 from 'argon2';
import { createSemaphore } from './semaphore.js';

/** The smallest parameters that OWASP recommends for argon2id: 19 MiB, two passes, one lane. */
const parameters = { type: argon2.argon2id, memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 } as const;

/** Has the form and the cost of a real hash, and no password. */
const decoy = (() => {
  const [salt, digest] = [randomBytes(16), randomBytes(32)].map((bytes) => bytes.toString('base64').replace(/=+$/, ''));
  const { memoryCost, timeCost, parallelism } = parameters;
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${salt}$${digest}`;
})();

/** Half of libuv's four threads: file and DNS work of the process goes on while many people sign in. */
const atOnce = 2;
const maxWaiting = 500;

/** The count of guesses at one account; see login-throttle.ts. */
export type Attempt = {
  /** @throws AppError `rate_limited`. */
  check(): Promise<void>;
  failed(): Promise<void>;
};

/** Hashes and checks passwords, at most two at a time, so that fifty sign-ins at once take 38 MiB and not 950. */
export type Passwords = {
  hash(password: string): Promise<string>;
  /**
   * Whether `password` is the one that `stored` was made from. With `stored` null (no such account) it takes as
   * long as for a real one and answers false.
   *
   * `attempt` is checked and counted within the turn: of a hundred guesses sent at once no more pass than the
   * limit and those of the other turn.
   */
  verify(stored: string | null, password: string, attempt: Attempt): Promise<boolean>;
};

export function createPasswords(): Passwords {
  const semaphore = createSemaphore(atOnce, maxWaiting);
  // The same password typed on two systems may come as different code points.
  const normalise = (password: string): string => password.normalize('NFKC');
  const hash = (password: string): Promise<string> => argon2.hash(normalise(password), parameters);

  return {
    hash: (password) => semaphore(() => hash(password)),
    verify: (stored, password, attempt) =>
      semaphore(async () => {
        await attempt.check();
        const matches = (await argon2.verify(stored ?? decoy, normalise(password))) && stored !== null;
        if (!matches) await attempt.failed();
        return matches;
      }),
  };
}
