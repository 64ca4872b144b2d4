import type Anthropic from '@anthropic-ai/sdk';
import { gatherContent } from './anthropic-content.js';
import { streamCut } from './anthropic-errors.js';
import type { ModelListener, ModelResult, TokenUsage } from './model.js';

/** Makes an answer of the events of its stream. */
export type EventReader = {
  take(event: Anthropic.RawMessageStreamEvent): void;
  /** Tells the listener what was said since the last time. */
  flush(): void;
  /** Between its first words, which somebody waits for, and its end. */
  isSpeaking(): boolean;
  /** The service said that nothing more comes. */
  isWhole(): boolean;
  /** @throws ModelError when the answer is not whole. */
  result(): ModelResult;
};

/** @param listener told of text in portions: all that came since the last `flush`. */
export function createEventReader(requestedModel: string, listener: ModelListener): EventReader {
  const result: ModelResult = { stopReason: 'end_turn', model: requestedModel, calls: [], said: [] };
  const content = gatherContent();
  const usage: TokenUsage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  let complete = false;
  let said = 0;
  let untold = '';
  let block = { start: 0, cited: [] as { sourceIndex: number; quote: string }[] };

  function flush(): void {
    const text = untold;
    untold = '';
    if (text !== '') listener.onText(text);
  }

  function takeDelta(delta: Anthropic.RawContentBlockDelta): void {
    if (delta.type === 'text_delta') {
      // Postgres stores no NUL; from a model it can only be noise.
      const text = delta.text.replaceAll('\u0000', '');
      said += text.length;
      untold += text;
    } else if (delta.type === 'citations_delta') {
      const { citation } = delta;
      if (citation.type === 'search_result_location') {
        block.cited.push({ sourceIndex: citation.search_result_index, quote: citation.cited_text });
      }
    }
  }

  return {
    take(event) {
      content.take(event);
      if (event.type === 'content_block_delta') {
        takeDelta(event.delta);
      } else if (event.type === 'content_block_start') {
        block = { start: said, cited: [] };
      } else if (event.type === 'content_block_stop') {
        flush();
        // Citations come before, between or after the text that they are for: they are of the block as a whole.
        for (const cited of block.cited) listener.onCitation?.({ ...cited, textStart: block.start, textEnd: said });
      } else if (event.type === 'message_start') {
        result.model = event.message.model;
        listener.onUsage(Object.assign(usage, given(event.message.usage)));
      } else if (event.type === 'message_delta') {
        result.stopReason = event.delta.stop_reason ?? result.stopReason;
        listener.onUsage(Object.assign(usage, given(event.usage)));
      } else if (event.type === 'message_stop') {
        complete = true;
      }
    },
    flush,
    isSpeaking: () => said > 0 && !complete,
    isWhole: () => complete,
    result() {
      // The SDK's iterator just ends when the connection does: only this event says that the answer is whole.
      if (!complete) throw streamCut();
      result.said = content.said();
      if (result.stopReason === 'tool_use') result.calls = content.calls();
      return result;
    },
  };
}

/** The numbers are cumulative for the whole message, and only those that apply are sent: overwrite, never add. */
function given(usage: Anthropic.MessageDeltaUsage | Anthropic.Usage): Partial<TokenUsage> {
  const fields: Partial<Record<keyof TokenUsage, number | null>> = {
    input: usage.input_tokens,
    output: usage.output_tokens,
    cacheRead: usage.cache_read_input_tokens,
    cacheWrite: usage.cache_creation_input_tokens,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value === 'number'));
}
