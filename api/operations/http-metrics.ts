import type { Request, RequestHandler } from 'express';
import type { Metrics } from '../../shared/metrics.js';

/** Times every request, by the template of its route: paths hold ids, and would be a time series each. */
export function httpMetrics(metrics: Metrics): RequestHandler {
  return (req, res, next) => {
    const startedAt = performance.now();
    res.once('close', () => {
      // A reader that went away before the end saw no status of ours.
      const status = res.writableFinished ? `${Math.floor(res.statusCode / 100)}xx` : 'aborted';
      metrics.httpRequest(req.method, routeOf(req), status, (performance.now() - startedAt) / 1000);
    });
    next();
  };
}

const apiPrefix = '/api/v1';

function routeOf(req: Request): string {
  const path = (req.route as { path?: unknown } | undefined)?.path;
  if (typeof path !== 'string') return 'unmatched';
  // Express takes the prefix off again when an error leaves the router. Routes match in any case of letters,
  // so the prefix as it was sent is not one of a few values.
  const prefix = req.baseUrl || (req.originalUrl.toLowerCase().startsWith(`${apiPrefix}/`) ? apiPrefix : '');
  return `${prefix.toLowerCase()}${path}`;
}
