import { expect, test } from 'vitest';
import { AppError } from '../errors.js';
import { createPasswords } from './passwords.js';

const uncounted = { check: async () => undefined, failed: async () => undefined };

test('a password is recognised, another is not, and no account has none', async () => {
  const passwords = createPasswords();
  const stored = await passwords.hash('correct horse battery');
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,(?:t=2,p=1|p=1,t=2)\$/);
  expect(await passwords.verify(stored, 'correct horse battery', uncounted)).toBe(true);
  expect(await passwords.verify(stored, 'correct horse batterz', uncounted)).toBe(false);
  expect(await passwords.verify(null, 'correct horse battery', uncounted)).toBe(false);
});

test('one password typed as different code points is one password', async () => {
  const passwords = createPasswords();
  const stored = await passwords.hash('caf\u00e9 au lait');
  expect(await passwords.verify(stored, 'cafe\u0301 au lait', uncounted)).toBe(true);
});

test('failures are counted within the turn: guesses sent at once do not slip past the limit', async () => {
  const passwords = createPasswords();
  const stored = await passwords.hash('correct horse battery');
  let failures = 0;
  const attempt = {
    async check() {
      if (failures >= 3) throw new AppError('rate_limited', 'Enough.');
    },
    async failed() {
      failures += 1;
    },
  };
  const guesses = Array.from({ length: 30 }, (_, index) => passwords.verify(stored, `guess number ${index}`, attempt));
  const results = await Promise.allSettled(guesses);
  expect(results.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(4);
});
