import type Anthropic from '@anthropic-ai/sdk';
import type { ModelRequest, Source, ToolAnswer } from './model.js';

/**
 * Tools, system prompt and history are a prefix that the next request repeats: marked at both ends, it is read from
 * the cache then, at a tenth of the price.
 */
export function toParams(request: ModelRequest): Anthropic.MessageCountTokensParams {
  const { model, system, note, turns, tools = [], sources = [], rounds = [], noMoreCalls = false } = request;
  const cached = { cache_control: { type: 'ephemeral' as const } };
  // Passages are found anew for every reply: what follows them is in no later request's prefix.
  const lastCached = sources.length > 0 ? turns.length - 2 : turns.length - 1;
  return {
    model,
    system: [{ type: 'text', text: system, ...cached }, ...(note ? [{ type: 'text' as const, text: note }] : [])],
    // They stay when no more calls are wanted: without them the whole prefix would be another one.
    ...(tools.length > 0
      ? {
          tools: tools.map(({ name, description, inputSchema }) => ({ name, description, input_schema: inputSchema })),
          tool_choice: { type: noMoreCalls ? ('none' as const) : ('auto' as const) },
        }
      : {}),
    messages: [
      ...turns.map(({ role, content }, index) => ({
        role,
        content: [
          ...(index === turns.length - 1 ? sources.map(toSearchResult) : []),
          { type: 'text' as const, text: content, ...(index === lastCached ? cached : {}) },
        ],
      })),
      ...rounds.flatMap(({ said, answers }): Anthropic.MessageParam[] => [
        { role: 'assistant', content: said as readonly Anthropic.ContentBlockParam[] as Anthropic.ContentBlockParam[] },
        { role: 'user', content: answers.map(toToolResult) },
      ]),
    ],
  };
}

const toSearchResult = ({ source, title, pieces }: Source): Anthropic.SearchResultBlockParam => ({
  type: 'search_result',
  source,
  title,
  content: pieces.map((text) => ({ type: 'text', text })),
  citations: { enabled: true },
});

const toToolResult = ({ callId, sources, text, isError }: ToolAnswer): Anthropic.ToolResultBlockParam => ({
  type: 'tool_result',
  tool_use_id: callId,
  content: sources.length > 0 ? sources.map(toSearchResult) : text,
  ...(isError ? { is_error: true } : {}),
});
