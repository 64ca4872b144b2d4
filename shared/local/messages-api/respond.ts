import type { ServerResponse } from 'node:http';
import { frame, type MessageChunks, messageChunks, wholeMessage } from './events.js';
import { limitPlan, type Plan } from './plan.js';
import type { Ticker } from './ticker.js';
import type { InputUsage } from './usage.js';
import { type ApiError, errorBody, type MessagesRequest } from './wire.js';

/** Answers with an error, as the API does outside of streams. */
export function respondError(response: ServerResponse, error: ApiError, requestId: string): void {
  if (error.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(error.retryAfterSeconds));
  respondJson(response, error.status, errorBody(error, requestId));
}

/** Answers with a JSON body. */
export function respondJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Answers a valid request as `plan` says, streamed or whole, at `rate` tokens per second unless the plan has its own. */
export function respondMessage(
  response: ServerResponse,
  wanted: Plan,
  request: MessagesRequest,
  usage: InputUsage,
  rate: number,
  ticker: Ticker,
): void {
  const plan = limitPlan(wanted, request.max_tokens);
  const pace = plan.rate ?? rate;
  if (!request.stream) {
    const tokens = messageChunks(plan, request.model, usage).tokens.length;
    const answer = (): void => respondJson(response, 200, wholeMessage(plan, request.model, usage));
    later(response, pace === 0 ? 0 : (tokens / pace) * 1000, answer);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  const chunks = messageChunks(plan, request.model, usage);
  const stop = plan.interruption;
  const tokens = Math.min(stop?.after ?? Infinity, chunks.tokens.length);
  // What goes wrong before the first token goes wrong before the first event.
  const opening = stop?.after === 0 ? '' : chunks.opening;
  if (opening) response.write(opening);
  else response.flushHeaders();
  ticker.add({
    response,
    chunks,
    rate: pace,
    tokens,
    gate: plan.gate,
    atEnd: (rest) => end(response, plan, chunks, rest),
  });
}

function end(response: ServerResponse, plan: Plan, chunks: MessageChunks, rest: string): void {
  const stop = plan.interruption;
  switch (stop?.how) {
    case undefined:
      response.end(rest + chunks.closing);
      return;
    case 'error':
      response.end(rest + frame({ ...errorBody(stop.error), type: 'error' }));
      return;
    case 'malformed':
      response.end(`${rest}event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"ty\n\n`);
      return;
    case 'cut':
      // Written out first, so that exactly the tokens before the cut arrive.
      response.write(rest || '\n', () => response.destroy());
      return;
    case 'hang':
      if (rest) response.write(rest);
  }
}

/** Does `work` after `ms` milliseconds, unless the client has gone by then. */
export function later(response: ServerResponse, ms: number, work: () => void): void {
  if (ms <= 0) {
    work();
    return;
  }
  const timer = setTimeout(work, ms);
  response.once('close', () => clearTimeout(timer));
}
