import { type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import type { Principal } from '../../shared/accounts/principal.js';
import { AppError } from '../../shared/errors.js';
import type { WebContext } from '../context.js';
import type { Endpoint } from '../endpoint.js';
import { authenticate } from './authenticate.js';
import { idempotencyOf, runInTransaction } from './idempotency.js';
import { createRequestLimit } from './rate-limit.js';
import { readJson } from './read-json.js';
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
  for (const definition of endpoints) {
    const steps: RequestHandler[] = [
      async (req, res, next) => {
        const principal = await authenticate(ctx, req, definition.auth).catch((error: unknown) => {
          // Checking what is no token of ours costs as much as a request; counted apart from signing in.
          if (error instanceof AppError && error.status === 401) limitRequests(`refused ${req.ip}`, res);
          throw error;
        });
        limitRequests(principal?.userId ?? `ip ${req.ip}`, res);
        (res.locals as Locals).principal = principal;
        next();
      },
    ];
    const ownLimit = definition.bodyLimit;
    if (definition.body) steps.push(ownLimit === undefined ? json : readJson(ownLimit));
    router[definition.method](definition.path, ...steps, handle(ctx, definition));
  }
  for (const [path, methods] of methodsByPath(endpoints)) {
    router.all(path, (req, res) => {
      res.setHeader('allow', methods.join(', '));
      throw new AppError('method_not_allowed', `${req.method} is not possible here; possible: ${methods.join(', ')}.`);
    });
  }
  return router;
}

function handle(ctx: WebContext, definition: Endpoint): RequestHandler {
  const { response } = definition;
  return async (req, res) => {
    const { principal } = res.locals as Locals;
    if (definition.body) requireJson(req);
    const bodyMissing = definition.bodyOptional && req.body === undefined;
    const input = {
      ctx,
      principal,
      params: parsePart(definition.params, 'params', req.params),
      query: parsePart(definition.query ?? noQuery, 'query', req.query),
      body: bodyMissing ? undefined : parsePart(definition.body, 'body', req.body),
      idempotency: definition.idempotent ? idempotencyOf(req) : null,
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

function send(res: Response, status: number, value: unknown): void {
  if (value === undefined) res.status(status).end();
  else res.status(status).json(value);
}

function methodsByPath(endpoints: readonly Endpoint[]): Map<string, string[]> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of endpoints) methods.set(path, [...(methods.get(path) ?? []), method.toUpperCase()]);
  return methods;
}
