import type { Principal } from '../../shared/accounts/principal.js';
import { AppError } from '../../shared/errors.js';

/**
 * The session of a caller who signed in as a person.
 *
 * @throws AppError `forbidden` for an API key: a key that leaked must not be able to make others.
 */
export function requireSession(principal: Principal, what: string): string {
  const { type, id } = principal.credential;
  if (type !== 'session')
    throw new AppError('forbidden', `An API key cannot ${what}: sign in with e-mail and password.`);
  return id;
}
