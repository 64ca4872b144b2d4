import type { ErrorRequestHandler, RequestHandler } from 'express';
import { AppError, toAppError } from '../../shared/errors.js';
import { fromBodyParser } from './read-json.js';

/** What body-parser and Express themselves throw, as errors of ours. */
function fromExpress(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AppError) return error;
  const ofBody = fromBodyParser(error);
  if (ofBody) return ofBody;
  const { status } = error as { status?: number };
  if (error instanceof URIError) return new AppError('invalid_request', 'The path is not valid percent-encoding.');
  if (status !== undefined && status >= 400 && status < 500) return new AppError('invalid_request', error.message);
  return error;
}

/** RFC 9457 problem details of `error`, as JSON. */
export function problemDocument(error: AppError, requestId: string): string {
  return JSON.stringify({
    type: 'about:blank',
    title: error.code.replaceAll('_', ' '),
    status: error.status,
    code: error.code,
    detail: error.message,
    issues: error.issues,
    requestId,
  });
}

/** Answers every error as RFC 9457 problem details. */
export const problems: ErrorRequestHandler = (thrown, req, res, next) => {
  const error = toAppError(fromExpress(thrown));
  if (res.headersSent) {
    if (error.status >= 500) req.log.error({ err: thrown }, 'request failed');
    // Too late for an answer of ours: Express closes the connection, so that the client sees it break.
    next(thrown);
    return;
  }
  // The log of requests writes it down, in the one line that there is of an answer that is an error.
  if (error.status >= 500) res.err = thrown as Error;
  if (error.retryAfterSeconds !== undefined) res.setHeader('retry-after', String(Math.ceil(error.retryAfterSeconds)));
  if (error.status === 401) res.setHeader('www-authenticate', 'Bearer');
  res
    .status(error.status)
    .type('application/problem+json')
    .send(problemDocument(error, req.id as string));
};

/** For a path that no route has. */
export const noSuchRoute: RequestHandler = (req) => {
  throw new AppError('not_found', `There is no ${req.method} ${req.path}. GET /api/docs lists what there is.`);
};
