import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decide, type Failures } from './decide.js';
import { makeId } from './events.js';
import type { Plan } from './plan.js';
import { later, respondError, respondJson, respondMessage } from './respond.js';
import { createTicker } from './ticker.js';
import { countTokens, createPromptCache } from './usage.js';
import { validate } from './validate.js';
import type { ApiError, MessagesRequest } from './wire.js';

/** A valid request to `/v1/messages`; `n` counts them from 1. */
export type ReceivedRequest = { body: MessagesRequest; headers: IncomingHttpHeaders; n: number };

/** How the stand-in behaves where no directive says otherwise. */
export type MessagesApiOptions = {
  /** Default: any free port. Loopback only. */
  port?: number;
  /** Decides the answer; where it returns undefined, the stand-in's own rules do. */
  script?: (request: ReceivedRequest) => Plan | undefined | Promise<Plan | undefined>;
  /** Tokens per second where neither plan nor directive says; default 50, 0 is all at once. */
  rate?: number;
  /** Longer prompts are refused; default 200,000 estimated tokens. */
  contextTokens?: number;
  /** Shorter prefixes are not cached; default 1,024 tokens. */
  minimumCacheTokens?: number;
};

/** A running stand-in. */
export type MessagesApi = {
  url: string;
  port: number;
  /** The newest thousand valid requests, oldest first. */
  requests: ReceivedRequest[];
  /** Valid requests so far, those being answered now, and the most there were at once. */
  counts: { total: number; open: number; maxOpen: number };
  /** Breaks every connection, as a crash of the service would; it goes on listening. */
  closeConnections(): void;
  stop(): Promise<void>;
};

const maxRecorded = 1_000;
const maxBodyBytes = 32 * 1024 * 1024;

/** Starts a server on loopback that speaks the Anthropic Messages API; `directive.ts` says what can be asked of it. */
export async function startMessagesApi(options: MessagesApiOptions = {}): Promise<MessagesApi> {
  const ticker = createTicker();
  const failures: Failures = new Map();
  const promptCache = createPromptCache(options.minimumCacheTokens ?? 1_024);
  const requests: ReceivedRequest[] = [];
  const counts = { total: 0, open: 0, maxOpen: 0 };

  async function handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = makeId('req');
    response.setHeader('request-id', requestId);
    const refuse = (error: ApiError): void => respondError(response, error, requestId);
    const path = (message.url ?? '').split('?')[0];
    const counting = path === '/v1/messages/count_tokens';
    if (message.method !== 'POST' || (path !== '/v1/messages' && !counting)) {
      return refuse({ status: 404, type: 'not_found_error', message: `Not found: ${message.method} ${path}` });
    }
    const body = await readJson(message);
    const problem = checkHeaders(message.headers) ?? body.error ?? validate(body.value, counting);
    if (problem) return refuse(problem);
    const request = body.value as MessagesRequest;
    if (counting) return respondJson(response, 200, { input_tokens: countTokens(request) });

    const received = { body: request, headers: message.headers, n: (counts.total += 1) };
    if (requests.push(received) > maxRecorded) requests.shift();
    counts.open += 1;
    counts.maxOpen = Math.max(counts.maxOpen, counts.open);
    response.once('close', () => (counts.open -= 1));

    const tokens = countTokens(request);
    const limit = options.contextTokens ?? 200_000;
    if (tokens > limit) {
      const text = `prompt is too long: ${tokens} tokens > ${limit} maximum`;
      return refuse({ status: 400, type: 'invalid_request_error', message: text });
    }
    const plan = (await options.script?.(received)) ?? decide(request, failures);
    later(response, plan.delayMs ?? 0, () => {
      if (plan.error) refuse(plan.error);
      else respondMessage(response, plan, request, promptCache(request), options.rate ?? 50, ticker);
    });
  }

  const server = createServer((message, response) => {
    handle(message, response).catch((error: unknown) => {
      // A client that went away while it sent its request.
      if (message.destroyed && !message.complete) return;
      if (response.headersSent) response.destroy();
      else respondError(response, { status: 500, type: 'api_error', message: String(error) }, '');
    });
  });
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    counts,
    closeConnections: () => server.closeAllConnections(),
    async stop() {
      ticker.stop();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function checkHeaders(headers: IncomingHttpHeaders): ApiError | undefined {
  const key = headers['x-api-key'] ?? headers.authorization;
  if (!key) return { status: 401, type: 'authentication_error', message: 'x-api-key header is required' };
  if (key === 'invalid') return { status: 401, type: 'authentication_error', message: 'invalid x-api-key' };
  if (headers['anthropic-version']) return undefined;
  return { status: 400, type: 'invalid_request_error', message: 'anthropic-version: header is required' };
}

async function readJson(message: IncomingMessage): Promise<{ value?: unknown; error?: ApiError }> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of message as AsyncIterable<Buffer>) {
    size += part.length;
    if (size <= maxBodyBytes) parts.push(part);
  }
  if (size > maxBodyBytes) {
    return { error: { status: 413, type: 'request_too_large', message: 'Request exceeds the maximum size' } };
  }
  try {
    return { value: JSON.parse(Buffer.concat(parts).toString('utf8')) };
  } catch {
    return { error: { status: 400, type: 'invalid_request_error', message: 'The request body is not valid JSON' } };
  }
}
