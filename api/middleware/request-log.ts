import { randomUUID } from 'node:crypto';
import { type HttpLogger, pinoHttp } from 'pino-http';
import type { Logger } from '../../shared/logger.js';

/** Gives every request its id, and writes one line about it when it is answered: above `debug` only when that failed. */
export function requestLog(logger: Logger): HttpLogger {
  return pinoHttp({
    logger,
    genReqId: (req, res) => {
      const given = req.headers['x-request-id'];
      const id = typeof given === 'string' && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID();
      res.setHeader('x-request-id', id);
      return id;
    },
    quietReqLogger: true,
    customLogLevel(_req, res, error) {
      // A store that is away is a matter of its own, and has lines of its own.
      if (res.statusCode === 503) return 'warn';
      return error || res.statusCode >= 500 ? 'error' : 'debug';
    },
    customErrorMessage: () => 'request failed',
    // An answer that nothing was thrown for says by itself what is wrong: the stack of an error made for it says nothing.
    customErrorObject: (_req, res, _error, value: object) => (res.err ? value : { ...value, err: undefined }),
    serializers: {
      // A query may hold what people search for: paths are logged, values are not.
      req: (req: { id: unknown; method: string; url: string }) => ({
        id: req.id,
        method: req.method,
        path: req.url.split('?')[0],
      }),
      res: (res: { statusCode: number }) => ({ status: res.statusCode }),
    },
  });
}
