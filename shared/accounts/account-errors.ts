import { AppError } from '../errors.js';

export function accountDisabled(): AppError {
  return new AppError('account_disabled', 'This account is disabled. An admin can enable it again.');
}

/** The same for an unknown e-mail and a wrong password: it must not tell who has an account. */
export function invalidCredentials(): AppError {
  return new AppError('invalid_credentials', 'The e-mail or the password is wrong.');
}
