import Anthropic from '@anthropic-ai/sdk';
import { retryAfterOf } from '../retry-after.js';
import { ModelError } from './model.js';

/**
 * What each error type means to the person who waits for the reply. The type decides, never the HTTP status:
 * inside a stream an overload arrives under status 200.
 */
const kinds: Record<string, { transient: boolean; message: string }> = {
  rate_limit_error: {
    transient: true,
    message: 'Claude is answering too many requests of this account at the moment.',
  },
  overloaded_error: { transient: true, message: 'Claude is overloaded at the moment.' },
  api_error: { transient: true, message: 'Claude had an internal error.' },
  timeout_error: { transient: true, message: 'Claude took too long.' },
  conflict_error: { transient: true, message: 'Claude could not take the request at the moment.' },
  invalid_request_error: { transient: false, message: 'Claude refused the request' },
  authentication_error: {
    transient: false,
    message: 'The API key for Claude is not valid. An operator has to set ANTHROPIC_API_KEY.',
  },
  billing_error: {
    transient: false,
    message: 'The account for Claude has a billing problem. An operator has to look at it.',
  },
  permission_error: { transient: false, message: 'The API key for Claude may not use this model.' },
  not_found_error: { transient: false, message: 'Claude does not know the model that this conversation asks for.' },
  request_too_large: { transient: false, message: 'The conversation is too large for Claude.' },
};

/** Statuses of answers that carry no type, as proxies in between send them. */
const typeByStatus: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** What the SDK threw, as an error that says whether to try again and what to tell people. */
export function toModelError(error: unknown): unknown {
  if (error instanceof ModelError) return error;
  if (error instanceof Anthropic.APIConnectionTimeoutError) {
    return new ModelError('model_timeout', 'Claude did not answer in time.', { transient: true, cause: error });
  }
  if (error instanceof Anthropic.APIConnectionError) {
    return new ModelError('model_unreachable', 'Claude cannot be reached at the moment.', {
      transient: true,
      cause: error,
    });
  }
  if (error instanceof Anthropic.APIError) return fromApiError(error);
  if (error instanceof SyntaxError) {
    return new ModelError('stream_malformed', 'The answer of Claude could not be read.', {
      transient: true,
      cause: error,
    });
  }
  return error;
}

/** @param cause why the answer is not whole, where that is known. */
export function streamCut(cause?: unknown): ModelError {
  const message = 'The connection to Claude broke in the middle of the answer.';
  return new ModelError('stream_cut', message, { transient: true, cause });
}

function fromApiError(error: InstanceType<typeof Anthropic.APIError>): ModelError {
  const type = error.type ?? typeByStatus[error.status ?? 0] ?? 'api_error';
  const kind = kinds[type] ?? { transient: (error.status ?? 500) >= 500, message: 'Claude answered with an error.' };
  // Only of a request that is at fault itself is it useful to say in the service's words why.
  const detail = type === 'invalid_request_error' && error.apiMessage ? `: ${error.apiMessage.slice(0, 300)}` : '';
  return new ModelError(type, `${kind.message}${detail}`, {
    transient: kind.transient,
    retryAfterMs: retryAfterOf(error.headers),
    cause: error,
  });
}
