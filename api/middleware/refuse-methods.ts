import type { RequestHandler } from 'express';
import { AppError } from '../../shared/errors.js';

/** Stands behind the routes of a path, for the methods that they leave. @param possible as in the header Allow. */
export function refuseMethods(possible: string): RequestHandler {
  return (req, res) => {
    res.setHeader('allow', possible);
    throw new AppError('method_not_allowed', `${req.method} is not possible here; possible: ${possible}.`);
  };
}
