import { expect, test } from 'vitest';
import { toAppError } from './errors.js';

test.each([
  ['57P01', 'terminating connection due to administrator command'],
  ['25P03', 'terminating connection due to idle-in-transaction timeout'],
])('what Postgres ends by itself (%s) may be tried again', (code, message) => {
  const error = toAppError(Object.assign(new Error(message), { code }));
  expect([error.status, error.code, error.retryAfterSeconds]).toEqual([503, 'unavailable', 1]);
});
