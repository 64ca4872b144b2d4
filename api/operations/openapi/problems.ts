import { z } from 'zod';
import { type ErrorCode, errorStatuses } from '../../../shared/errors.js';
import type { Endpoint } from '../../endpoint.js';
import type { Json } from './schemas.js';

/** What every error is answered with. */
export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(errorStatuses)).describe('Stable: decide by it, not by the text.'),
    detail: z.string().describe('For people; may change.'),
    issues: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('The wrong fields, for `invalid_request`.'),
    requestId: z.string().describe('Also in the header X-Request-Id, and in the log.'),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details.' });

/** Every code that a route can answer: its own, and those of what stands before its handler. */
export function codesOf(endpoint: Endpoint): ErrorCode[] {
  const codes = new Set<ErrorCode>(['invalid_request', 'rate_limited', 'internal', 'unavailable']);
  const add = (...more: ErrorCode[]): void => more.forEach((code) => codes.add(code));
  if (endpoint.auth !== 'public') add('unauthenticated', 'token_expired', 'account_disabled');
  if (endpoint.auth === 'admin') add('forbidden');
  if (endpoint.params) add('not_found');
  if (endpoint.body) add('malformed_json', 'payload_too_large', 'unsupported_media_type', 'request_timeout');
  if (endpoint.multipart) add('payload_too_large', 'unsupported_media_type');
  if (endpoint.idempotent) add('idempotency_key_reused', 'conflict');
  add(...(endpoint.errors ?? []));
  return [...codes];
}

/** The error answers of a route by status, each with the codes that come with it. */
export function problemResponses(endpoint: Endpoint, problemReference: Json): Json {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codesOf(endpoint)) {
    const status = errorStatuses[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const responses = [...byStatus]
    .sort(([one], [other]) => one - other)
    .map(([status, codes]): [string, Json] => [String(status), problemResponse(status, codes, problemReference)]);
  return Object.fromEntries(responses);
}

function problemResponse(status: number, codes: ErrorCode[], problemReference: Json): Json {
  const retryAfter =
    status === 429 || status === 503 ? { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } : {};
  return {
    description: codes.map((code) => `\`${code}\``).join(', '),
    headers: { 'X-Request-Id': { $ref: '#/components/headers/RequestId' }, ...retryAfter },
    content: {
      'application/problem+json': {
        schema: { allOf: [{ ...problemReference }, { properties: { code: { enum: codes } } }] },
      },
    },
  };
}
