import type { Request } from 'express';
import type { z } from 'zod';
import { AppError, type FieldIssue } from '../../shared/errors.js';

/** The part of a request that a schema is for, as callers read it in an error. */
type Part = 'params' | 'query' | 'body';

/** A body of nothing but mistakes would be answered by several times as much. */
const maxIssues = 100;

/**
 * Parses one part of a request.
 *
 * @throws AppError `invalid_request` with the wrong fields; `not_found` for an id in the path that is none.
 */
export function parsePart(schema: z.ZodType | undefined, part: Part, value: unknown): unknown {
  if (!schema) return undefined;
  const result = schema.safeParse(value === undefined ? {} : value);
  if (result.success) return result.data;
  if (part === 'params') throw new AppError('not_found', 'The path names nothing that exists; ids are UUIDs.');
  const issues = result.error.issues.flatMap(toIssues).slice(0, maxIssues);
  throw new AppError('invalid_request', `The ${part} has mistakes.`, { issues });
}

function toIssues(issue: z.core.$ZodIssue): FieldIssue[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...issue.path, key].join('.'), message: 'is not a known field' }));
  }
  return [{ path: issue.path.join('.'), message: issue.message }];
}

/** @throws AppError `unsupported_media_type` when there is a body that is not said to be JSON. */
export function requireJson(req: Request): void {
  const hasBody =
    req.headers['content-length'] !== '0' && (req.headers['content-length'] || req.headers['transfer-encoding']);
  if (hasBody && !req.is('application/json')) {
    throw new AppError('unsupported_media_type', 'Send the body as application/json.');
  }
}
