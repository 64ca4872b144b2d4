import type Anthropic from '@anthropic-ai/sdk';
import type { Said, ToolCall } from './model.js';

/** Puts the blocks of an answer together again: they go back as they came when its calls are answered. */
export type ContentGatherer = {
  take(event: Anthropic.RawMessageStreamEvent): void;
  said(): Said;
  calls(): ToolCall[];
};

/** A block that never ends (cut off by the limit of tokens) is left out: half a call is none. */
export function gatherContent(): ContentGatherer {
  const blocks: Anthropic.ContentBlock[] = [];
  let open: Anthropic.ContentBlock | null = null;
  let json = '';

  function append(delta: Anthropic.RawContentBlockDelta): void {
    if (delta.type === 'input_json_delta') json += delta.partial_json;
    else if (open?.type === 'text' && delta.type === 'text_delta') open.text += delta.text;
    else if (open?.type === 'text' && delta.type === 'citations_delta') {
      open.citations = [...(open.citations ?? []), delta.citation];
    } else if (open?.type === 'thinking' && delta.type === 'thinking_delta') open.thinking += delta.thinking;
    else if (open?.type === 'thinking' && delta.type === 'signature_delta') open.signature = delta.signature;
  }

  return {
    take(event) {
      if (event.type === 'content_block_start') {
        open = { ...event.content_block };
        json = '';
      } else if (event.type === 'content_block_delta') {
        append(event.delta);
      } else if (event.type === 'content_block_stop' && open) {
        if (open.type === 'tool_use' && json !== '') open.input = JSON.parse(json) as unknown;
        blocks.push(open);
        open = null;
      }
    },
    // The service sends blocks of white space alone, but does not take them back.
    said: () => blocks.filter((block) => block.type !== 'text' || /\S/.test(block.text)),
    calls: () => blocks.flatMap((block) => (block.type === 'tool_use' ? [callOf(block)] : [])),
  };
}

const callOf = ({ id, name, input }: Anthropic.ToolUseBlock): ToolCall => ({ id, name, input });
