import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from '../shared/context.js';
import { createReadiness, postgresCheck, progressCheck, redisCheck, vectorStoreCheck } from '../shared/health.js';
import { storageCheck } from '../shared/knowledge/storage-check.js';
import type { Logger } from '../shared/logger.js';
import { mayReadMetrics } from '../shared/scrape-token.js';

/**
 * Serves `/healthz`, `/readyz` and `/metrics` of a worker on METRICS_PORT, or on a free port when another worker
 * of the machine has that one already; it closes with the context.
 *
 * @param lastProgressAt when the loops of the worker last went round, in `performance.now()` milliseconds.
 */
export async function startOperationsServer(
  ctx: Pick<Context, 'config' | 'logger' | 'lifecycle' | 'database' | 'redis' | 'metrics' | 'vectors' | 'objects'>,
  lastProgressAt: () => number,
): Promise<{ port: number }> {
  const { config, logger, lifecycle } = ctx;
  const server = createServer(answer(ctx, lastProgressAt));
  const port = await listen(server, config.metrics.port, config.web.host, logger);
  lifecycle.onClose('operations server', () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  logger.info({ port }, 'health and metrics of this worker');
  return { port };
}

function answer(
  ctx: Pick<Context, 'config' | 'logger' | 'database' | 'redis' | 'metrics' | 'vectors' | 'objects'>,
  lastProgressAt: () => number,
): RequestListener {
  const progress = progressCheck(lastProgressAt);
  // Stuck loops are cured by a restart, an absent database is not: only the first ends "alive".
  const alive = createReadiness([progress]);
  const ready = createReadiness([
    postgresCheck(ctx.database),
    redisCheck(ctx.redis, true),
    vectorStoreCheck(ctx.vectors),
    storageCheck(ctx),
    progress,
  ]);

  const routes: Record<string, (authorization: string | undefined) => Promise<Answer>> = {
    '/healthz': async () => json(await alive()),
    '/readyz': async () => json(await ready()),
    '/metrics': async (authorization) => {
      if (!mayReadMetrics(ctx.config.metrics.token, authorization))
        return text(401, 'Send METRICS_TOKEN as a bearer.\n');
      const { contentType, body } = await ctx.metrics.expose();
      return { status: 200, contentType, body };
    },
  };

  async function find(method: string, path: string, authorization: string | undefined): Promise<Answer> {
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (!route || (method !== 'GET' && method !== 'HEAD')) return text(404, 'Not found.\n');
    try {
      return await route(authorization);
    } catch (error) {
      ctx.logger.warn({ err: error, path }, 'an operations request failed');
      return text(500, 'Something went wrong; the log says what.\n');
    }
  }

  async function respond(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = req;
    const { status, contentType, body } = await find(method, url.split('?')[0] ?? '', headers.authorization);
    res.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
    res.end(method === 'HEAD' ? undefined : body);
  }

  return (req, res) => void respond(req, res);
}

type Answer = { status: number; contentType: string; body: string };

const text = (status: number, body: string): Answer => ({ status, contentType: 'text/plain; charset=utf-8', body });

function json(readiness: { status: string }): Answer {
  const status = readiness.status === 'unavailable' ? 503 : 200;
  return { status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(readiness) };
}

/** @returns the port; the one asked for unless it is taken: a worker without metrics is better than none at all. */
async function listen(server: Server, port: number, host: string, logger: Logger): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return (server.address() as AddressInfo).port;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || port === 0) throw error;
    logger.warn({ port }, 'METRICS_PORT is taken; health and metrics of this worker are on a free port');
    return listen(server, 0, host, logger);
  }
}
