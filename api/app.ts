import cors from 'cors';
import express, { type Express } from 'express';
import helmet from 'helmet';
import type { WebContext } from './context.js';
import { mount } from './middleware/mount.js';
import { parseQuery } from './middleware/parse-query.js';
import { noSuchRoute, problems } from './middleware/problem.js';
import { requestLog } from './middleware/request-log.js';
import { requireHost } from './middleware/require-host.js';
import { adminRouter } from './operations/admin/router.js';
import { docsRouter } from './operations/docs/router.js';
import { healthRouter } from './operations/health.js';
import { httpMetrics } from './operations/http-metrics.js';
import { routes } from './routes.js';

/** What scripts of other origins may read beside the few headers that every script may. */
const exposedHeaders = [
  ...['x-request-id', 'idempotency-replayed', 'etag'],
  ...['retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
  // Of files, which readers of PDF fetch in ranges.
  ...['content-disposition', 'accept-ranges', 'content-range'],
];

/** The HTTP side of a web process: every middleware and router, in order. */
export function createApp(ctx: WebContext): Express {
  const app = express();
  const { corsOrigins } = ctx.config.web;
  app.disable('x-powered-by');
  app.set('trust proxy', ctx.config.web.trustProxy);
  app.set('query parser', parseQuery);
  // An ETag costs a hash of every answer, and hardly any of them is asked for twice unchanged.
  app.set('etag', false);
  app.use(requestLog(ctx.logger));
  app.use(httpMetrics(ctx.metrics));
  app.use(requireHost);
  app.use(helmet());
  app.use(healthRouter(ctx));
  app.use(
    cors({
      origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
      exposedHeaders,
      // As long as browsers keep it at most. Without it they ask again every five seconds, before nearly each request.
      maxAge: 7_200,
    }),
  );
  app.use('/api/v1', mount(ctx, routes));
  app.use('/api', docsRouter(routes));
  app.use('/admin', adminRouter(ctx));
  // Who opens the address that `npm start` prints wants to see what there is.
  app.get('/', (_req, res) => res.redirect('/api/docs'));
  app.use(noSuchRoute);
  app.use(problems);
  return app;
}
