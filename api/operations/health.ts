import { Router } from 'express';
import { createReadiness, postgresCheck, redisCheck, vectorStoreCheck } from '../../shared/health.js';
import { storageCheck } from '../../shared/knowledge/storage-check.js';
import { mayReadMetrics } from '../../shared/scrape-token.js';
import { AppError } from '../../shared/errors.js';
import type { WebContext } from '../context.js';
import { refuseMethods } from '../middleware/refuse-methods.js';

/**
 * `/healthz`, `/readyz` and `/metrics`: for supervisors, load balancers and Prometheus, before sign-in and limits.
 * Without METRICS_TOKEN the metrics are open: such a web process is kept inside, or its proxy hides the path.
 */
export function healthRouter(ctx: WebContext): Router {
  const router = Router();
  // Work is accepted without Redis, so a web process without it stays in the rotation.
  const ready = createReadiness([
    postgresCheck(ctx.database),
    redisCheck(ctx.redis, false),
    vectorStoreCheck(ctx.vectors),
    storageCheck(ctx),
  ]);

  router.get('/healthz', (_req, res) => {
    res.setHeader('cache-control', 'no-store');
    res.json({ status: 'alive' });
  });
  router.get('/readyz', async (_req, res) => {
    const readiness = await ready();
    const unavailable = readiness.status === 'unavailable';
    if (unavailable) res.setHeader('retry-after', '1');
    res.setHeader('cache-control', 'no-store');
    res.status(unavailable ? 503 : 200).json(readiness);
  });
  router.get('/metrics', async (req, res) => {
    if (!mayReadMetrics(ctx.config.metrics.token, req.get('authorization'))) {
      throw new AppError('unauthenticated', 'Send METRICS_TOKEN as a bearer.');
    }
    const { contentType, body } = await ctx.metrics.expose();
    res.setHeader('cache-control', 'no-store');
    res.setHeader('content-type', contentType);
    res.send(body);
  });
  router.all(['/healthz', '/readyz', '/metrics'], refuseMethods('GET, HEAD'));
  return router;
}
