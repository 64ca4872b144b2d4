import { randomBytes } from 'node:crypto';
import { type Plan, type PlanBlock, toolTokens } from './plan.js';
import type { InputUsage } from './usage.js';

/** What is written at once; a function is called when it is. */
export type Chunk = string | (() => string);

/** A message as a stream: what opens it, one chunk per token, and what ends it. */
export type MessageChunks = { opening: string; tokens: Chunk[]; closing: string };

type Event = { type: string; [field: string]: unknown };

/** One server-sent event, as the API frames it. */
export function frame(data: Event): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const ping = frame({ type: 'ping' });

/** An id as the API makes them, for messages (`msg`), requests (`req`) and tool calls (`toolu`). */
export function makeId(kind: 'msg' | 'req' | 'toolu'): string {
  return `${kind}_standin${randomBytes(12).toString('hex')}`;
}

/** The events of a message in their exact order. */
export function messageChunks(plan: Plan, model: string, usage: InputUsage): MessageChunks {
  const start = { ...emptyMessage(model), usage: { ...startUsage(usage), output_tokens: 1, service_tier: 'standard' } };
  const chunks: Chunk[] = [];
  let pending = frame({ type: 'message_start', message: start });
  let opening: string | undefined;
  const addToken = (chunk: Chunk): void => {
    // What precedes the first token opens the stream; between blocks it goes out with the next token.
    if (opening === undefined) opening = pending;
    else if (pending) chunk = join(pending, chunk);
    pending = '';
    chunks.push(chunk);
  };

  const blocks = plan.blocks ?? [];
  blocks.forEach((block, index) => {
    pending += frame({ type: 'content_block_start', index, content_block: emptyBlock(block) });
    if (index === 0) pending += ping;
    pending += beforeTokens(block, index);
    for (const token of deltasOf(block, index)) addToken(token);
    // A call that max_tokens cut off stays open, its JSON incomplete.
    if (block.type === 'text' || block.limit === undefined) pending += frame({ type: 'content_block_stop', index });
  });
  if (blocks.length === 0) pending += ping;
  const delta = { stop_reason: stopReason(plan), stop_sequence: null, ...stopDetails(plan) };
  pending += frame({ type: 'message_delta', delta, usage: { ...usage, output_tokens: outputTokens(plan) } });
  pending += frame({ type: 'message_stop' });
  return { opening: opening ?? '', tokens: chunks, closing: pending };
}

/** The same message as the answer to a request without `stream`. */
export function wholeMessage(plan: Plan, model: string, usage: InputUsage): object {
  const content = (plan.blocks ?? []).map((block) =>
    block.type === 'text'
      ? {
          ...emptyBlock(block),
          text: block.tokens.map(wordOf).join(''),
          ...(block.citations ? { citations: block.citations } : {}),
        }
      : { ...emptyBlock(block), input: block.input },
  );
  return {
    ...emptyMessage(model),
    content,
    stop_reason: stopReason(plan),
    ...stopDetails(plan),
    usage: { ...startUsage(usage), output_tokens: outputTokens(plan), service_tier: 'standard' },
  };
}

function emptyMessage(model: string): object {
  return {
    id: makeId('msg'),
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
}

function startUsage(usage: InputUsage): object {
  const written = usage.cache_creation_input_tokens;
  return { ...usage, cache_creation: { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: 0 } };
}

function emptyBlock(block: PlanBlock): object {
  if (block.type === 'tool_use') return { type: 'tool_use', id: makeId('toolu'), name: block.name, input: {} };
  return { type: 'text', text: '', ...(block.citations ? { citations: [] } : {}) };
}

function beforeTokens(block: PlanBlock, index: number): string {
  const deltas =
    block.type === 'tool_use'
      ? [{ type: 'input_json_delta', partial_json: '' }]
      : (block.citations ?? []).map((citation) => ({ type: 'citations_delta', citation }));
  return deltas.map((delta) => frame(deltaEvent(index, delta))).join('');
}

function deltasOf(block: PlanBlock, index: number): Chunk[] {
  if (block.type === 'tool_use') {
    return toolTokens(block).map((part) => frame(deltaEvent(index, { type: 'input_json_delta', partial_json: part })));
  }
  return block.tokens.map((token) =>
    typeof token === 'string'
      ? frame(deltaEvent(index, { type: 'text_delta', text: token }))
      : () => frame(deltaEvent(index, { type: 'text_delta', text: token() })),
  );
}

function deltaEvent(index: number, delta: object): Event {
  return { type: 'content_block_delta', index, delta };
}

function stopReason(plan: Plan): string {
  return plan.stopReason ?? (plan.blocks?.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn');
}

function stopDetails(plan: Plan): object {
  if (plan.stopReason !== 'refusal') return {};
  return { stop_details: { type: 'refusal', category: null, explanation: 'The stand-in was asked to refuse.' } };
}

function outputTokens(plan: Plan): number {
  const sizes = (plan.blocks ?? []).map((block) => (block.type === 'text' ? block.tokens : toolTokens(block)).length);
  return Math.max(
    1,
    sizes.reduce((sum, size) => sum + size, 0),
  );
}

function join(before: string, chunk: Chunk): Chunk {
  return typeof chunk === 'string' ? before + chunk : () => before + chunk();
}

function wordOf(token: string | (() => string)): string {
  return typeof token === 'string' ? token : token();
}
