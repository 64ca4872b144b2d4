import type { RequestHandler } from 'express';
import { AppError } from '../../shared/errors.js';

/**
 * RFC 9112, 3.2: HTTP/1.1 without Host is refused. Node would do so with a bare 400, and the health checks of some
 * proxies send none until they are told to: who sets one up has to see why.
 */
export const requireHost: RequestHandler = (req, _res, next) => {
  if (req.headers.host !== undefined || req.httpVersion !== '1.1') return next();
  throw new AppError('malformed_request', 'A request in HTTP/1.1 must have the header Host.');
};
