import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Principal } from '../shared/accounts/principal.js';
import type { Sql } from '../shared/database.js';
import type { ErrorCode } from '../shared/errors.js';
import { id } from '../shared/schemas.js';
import type { WebContext } from './context.js';
import type { Tag } from './operations/openapi/tags.js';

/** A body that was done once under an Idempotency-Key; see middleware/idempotency.ts. */
export type Idempotency = { key: string; route: string; bodyHash: Buffer };

type Shape = z.ZodType | undefined;
type Parsed<S extends Shape> = S extends z.ZodType ? z.output<S> : undefined;

/** What a handler gets: parsed, authenticated, nothing raw. */
export type Input<P extends Shape, Q extends Shape, B extends Shape, Auth extends 'public' | 'user' | 'admin'> = {
  ctx: WebContext;
  params: Parsed<P>;
  query: Parsed<Q>;
  body: Parsed<B>;
  principal: Auth extends 'public' ? Principal | null : Principal;
  /** Of `idempotent: 'own'` endpoints: the key that the caller gave. */
  idempotency: Idempotency | null;
  /** Of `idempotent: 'transaction'` endpoints one transaction with the key; else the pool. */
  tx: Sql;
  /** Runs after the answer's transaction was committed; never after a rollback or for a replayed answer. */
  afterCommit(work: () => void): void;
  req: Request;
  res: Response;
};

/**
 * One route: what it accepts, who may call it, what it answers. Validation, the OpenAPI description and the
 * types of the handler all come from this one object.
 */
export type Endpoint<
  P extends Shape = Shape,
  Q extends Shape = Shape,
  B extends Shape = Shape,
  R extends z.ZodType = z.ZodType,
  Auth extends 'public' | 'user' | 'admin' = 'public' | 'user' | 'admin',
> = {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Below /api/v1, with `:name` for parameters. */
  path: string;
  summary: string;
  description?: string;
  tag: Tag;
  auth: Auth;
  params?: P;
  query?: Q;
  body?: B;
  /** A body that may be left out altogether. */
  bodyOptional?: boolean;
  /** Instead of `body`: a form with one file in the field `file`, which the handler reads from `req` (multipart.ts). */
  multipart?: { file: string; fields: z.ZodType };
  /** Bytes that the body may have, when it is more than a message. */
  bodyLimit?: number;
  /** Headers that the handler reads of the request, and what each is for. */
  headers?: Record<string, string>;
  /** What is answered; `stream` means that the handler writes to `res` by itself (server-sent events, files). */
  response:
    | { status: number; description: string; schema: R }
    /** `stream` names the types of content; `others` the other statuses without a problem, with the reason for each. */
    | { status: number; description: string; stream: readonly string[]; others?: Record<number, string> };
  /** Codes of the handler's own; those of what stands before it follow from the rest, see `codesOf`. */
  errors?: ErrorCode[];
  /**
   * Takes an Idempotency-Key, never where the answer holds a secret. `transaction`: the handler writes through
   * `tx`, which stores the key and the answer too. `own`: the handler stores the key in a statement of its own.
   */
  idempotent?: 'transaction' | 'own';
  handler(input: Input<P, Q, B, Auth>): Promise<z.input<R> | void>;
};

/** Keeps the types of an endpoint's schemas for its handler. */
export function endpoint<
  P extends Shape,
  Q extends Shape,
  B extends Shape,
  R extends z.ZodType,
  Auth extends 'public' | 'user' | 'admin',
>(definition: Endpoint<P, Q, B, R, Auth>): Endpoint {
  return definition as unknown as Endpoint;
}

/** Parameters of a route that names one thing. */
export const idParams = z.object({ id });

/** For routes that answer nothing. */
export const nothing = z.void();
