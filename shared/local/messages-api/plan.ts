import type { ApiError } from './wire.js';

/** Where a passage stands that a text block cites. */
export type Citation = {
  type: 'search_result_location';
  cited_text: string;
  search_result_index: number;
  source: string;
  title: string;
  start_block_index: number;
  end_block_index: number;
};

/**
 * A block of an answer. `tokens` are sent as one delta each; a function is called when its turn comes. Of a tool's
 * input only `limit` pieces are sent, if that is set.
 */
export type PlanBlock =
  | { type: 'text'; tokens: (string | (() => string))[]; citations?: Citation[] }
  | { type: 'tool_use'; name: string; input: unknown; limit?: number };

/** What happens after `after` tokens instead of the rest of the stream. */
export type Interruption =
  | { how: 'cut' | 'hang' | 'malformed'; after: number }
  | { how: 'error'; after: number; error: Pick<ApiError, 'type' | 'message'> };

/** How one request is answered. An empty plan is an empty answer, at the server's pace. */
export type Plan = {
  /** Answered instead of a message. */
  error?: ApiError;
  blocks?: PlanBlock[];
  stopReason?: 'end_turn' | 'max_tokens' | 'tool_use' | 'refusal';
  /** Tokens per second; 0 sends all at once. */
  rate?: number;
  /** Time until the first byte of the answer, in milliseconds. */
  delayMs?: number;
  /** Streams only. */
  interruption?: Interruption;
  /** Streams only: after `after` tokens nothing but pings is sent until the promise is settled. */
  gate?: { after: number; until: Promise<unknown> };
};

/** Text in pieces of about the size of a model's tokens, which joined give the text. */
export function tokensOf(text: string): string[] {
  return text.match(/\s*\S{1,6}|\s+$/gu) ?? [];
}

/** A plan that answers with `text`. */
export function textPlan(text: string, rest: Omit<Plan, 'blocks'> = {}): Plan {
  return { ...rest, blocks: [{ type: 'text', tokens: tokensOf(text) }] };
}

/** A plan cut to what `max_tokens` allows. */
export function limitPlan(plan: Plan, maxTokens: number): Plan {
  let left = maxTokens;
  const blocks: PlanBlock[] = [];
  for (const block of plan.blocks ?? []) {
    const size = block.type === 'text' ? block.tokens.length : toolTokens(block).length;
    if (size <= left) {
      blocks.push(block);
      left -= size;
      continue;
    }
    if (left > 0)
      blocks.push(
        block.type === 'text' ? { ...block, tokens: block.tokens.slice(0, left) } : { ...block, limit: left },
      );
    return { ...plan, blocks, stopReason: 'max_tokens' };
  }
  return { ...plan, blocks };
}

/** The pieces in which a tool's input is sent. */
export function toolTokens(block: { input: unknown; limit?: number }): string[] {
  return (JSON.stringify(block.input).match(/.{1,12}/gsu) ?? []).slice(0, block.limit);
}
