import { type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import { networkOf } from '../../shared/accounts/network.js';
import type { Principal } from '../../shared/accounts/principal.js';
import { AppError } from '../../shared/errors.js';
import { addressOf } from '../auth/present.js';
import type { WebContext } from '../context.js';
import type { Endpoint } from '../endpoint.js';
import { authenticate } from './authenticate.js';
import { idempotencyOf, runInTransaction } from './idempotency.js';
import { createRequestLimit } from './rate-limit.js';
import { readJson } from './read-json.js';
import { refuseMethods } from './refuse-methods.js';
import { parsePart, requireJson } from './validate.js';

/** Larger than the longest message in JSON with every character escaped; few routes take more. */
const bodyLimit = 1024 * 1024;

/** A misspelt parameter is told on every route, also on those that have none. */
const noQuery = z.strictObject({});

type Locals = { principal: Principal | null };

/** A router of the endpoints, each behind authentication, limits and validation, in this order. */
export function mount(ctx: WebContext, endpoints: readonly Endpoint[]): Router {
  const router = Router();
  const json = readJson(bodyLimit);
  const limitRequests = createRequestLimit(ctx.config.web.requestsPerMinute);
  for (const path of new Set(endpoints.map((definition) => definition.path))) {
    const definitions = endpoints.filter((definition) => definition.path === path);
    for (const definition of definitions) router[definition.method](path, ...stepsOf(definition));
    router.all(path, refuseMethods(methodsOf(definitions)));
  }
  return router;

  function stepsOf(definition: Endpoint): RequestHandler[] {
    const steps: RequestHandler[] = [
      async (req, res, next) => {
        const principal = await authenticate(ctx, req, definition.auth).catch((error: unknown) => {
          // Checking what is no token of ours costs as much as a request; counted apart from signing in.
          if (error instanceof AppError && error.status === 401)
            limitRequests(`refused ${networkOf(addressOf(req))}`, res);
          throw error;
        });
        limitRequests(principal?.userId ?? `network ${networkOf(addressOf(req))}`, res);
        (res.locals as Locals).principal = principal;
        next();
      },
    ];
    const ownLimit = definition.bodyLimit;
    if (definition.body) steps.push(ownLimit === undefined ? json : readJson(ownLimit));
    return [...steps, handle(ctx, definition)];
  }
}

function handle(ctx: WebContext, definition: Endpoint): RequestHandler {
  const { response } = definition;
  return async (req, res) => {
    const { principal } = res.locals as Locals;
    if (definition.body) requireJson(req);
    const bodyMissing = definition.bodyOptional && req.body === undefined;
    const params = parsePart(definition.params, 'params', req.params);
    const input = {
      ctx,
      principal,
      params,
      query: parsePart(definition.query ?? noQuery, 'query', req.query),
      body: bodyMissing ? undefined : parsePart(definition.body, 'body', req.body),
      idempotency: definition.idempotent ? idempotencyOf(req, routeOf(definition, params)) : null,
      tx: ctx.database,
      afterCommit: (work: () => void) => work(),
      req,
      res,
    };
    if (definition.idempotent === 'transaction' && principal) {
      const options = { userId: principal.userId, idempotency: input.idempotency, status: response.status, res };
      const { status, value } = await runInTransaction(ctx, options, (tx, afterCommit) =>
        definition.handler({ ...input, tx, afterCommit } as never),
      );
      send(res, status, value);
    } else {
      const value: unknown = await definition.handler(input as never);
      if (!('stream' in response)) send(res, response.status, value);
    }
  };
}

/** A route with the ids that were given. In capitals or with a slash at the end, a path names the same one. */
function routeOf({ method, path }: Endpoint, params: unknown): string {
  const given = (params ?? {}) as Record<string, unknown>;
  return `${method.toUpperCase()} /api/v1${path.replaceAll(/:(\w+)/g, (_, name: string) => String(given[name]))}`;
}

function send(res: Response, status: number, value: unknown): void {
  if (value === undefined) res.status(status).end();
  else res.status(status).json(value);
}

/** Of one path, for people and for the header Allow. Who may GET may ask for the HEAD alone. */
function methodsOf(definitions: readonly Endpoint[]): string {
  return definitions.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])).join(', ');
}
