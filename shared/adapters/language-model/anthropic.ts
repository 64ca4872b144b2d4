import Anthropic from '@anthropic-ai/sdk';
import type { Config } from '../../config.js';
import { gatherContent } from './anthropic-content.js';
import { toModelError } from './anthropic-errors.js';
import { toParams } from './anthropic-request.js';
import { watchIdle } from './idle-watch.js';
import { type LanguageModel, ModelError, type ModelResult, type TokenUsage } from './model.js';

type StreamingParams = Anthropic.MessageCreateParamsStreaming;
type Event = Anthropic.RawMessageStreamEvent;

/** Claude, over the Messages API. Retrying is the business of the job, so the SDK's own is off. */
export function createAnthropicModel(settings: Config['model']): LanguageModel {
  const client = new Anthropic({
    apiKey: settings.apiKey,
    baseURL: settings.baseURL,
    maxRetries: 0,
    // It would print pieces of answers to the console; what goes wrong is thrown, and logged by who catches it.
    logLevel: 'off',
    // The whole answer may take long; silence is what is limited, below.
    timeout: 60 * 60_000,
  });

  return {
    async stream(request, listener, signal) {
      const watch = watchIdle(settings.idleTimeoutMs, signal);
      try {
        const params: StreamingParams = { ...toParams(request), max_tokens: settings.maxTokens, stream: true };
        const events = await client
          .withOptions({ fetch: watch.fetch })
          .messages.create(params, { signal: watch.signal });
        return await readEvents(events, request.model, listener, watch.signal);
      } catch (error) {
        throw watch.signal.aborted ? watch.signal.reason : toModelError(error);
      } finally {
        watch.stop();
      }
    },
    async countTokens(request, signal) {
      try {
        const counted = await client.messages.countTokens(toParams(request), {
          signal,
          timeout: settings.idleTimeoutMs,
        });
        return counted.input_tokens;
      } catch (error) {
        throw signal.aborted ? signal.reason : toModelError(error);
      }
    },
  };
}

async function readEvents(
  events: AsyncIterable<Event>,
  requestedModel: string,
  listener: Parameters<LanguageModel['stream']>[1],
  signal: AbortSignal,
): Promise<ModelResult> {
  const result: ModelResult = { stopReason: 'end_turn', model: requestedModel, calls: [], said: [] };
  const content = gatherContent();
  const usage: TokenUsage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  let complete = false;
  let said = 0;
  let block = { start: 0, cited: [] as { sourceIndex: number; quote: string }[] };
  for await (const event of events) {
    content.take(event);
    if (event.type === 'content_block_delta') {
      // Postgres stores no NUL; from a model it can only be noise.
      if (event.delta.type === 'text_delta') {
        const text = event.delta.text.replaceAll('\u0000', '');
        said += text.length;
        listener.onText(text);
      } else if (event.delta.type === 'citations_delta') {
        const { citation } = event.delta;
        if (citation.type === 'search_result_location') {
          block.cited.push({ sourceIndex: citation.search_result_index, quote: citation.cited_text });
        }
      }
    } else if (event.type === 'content_block_start') {
      block = { start: said, cited: [] };
    } else if (event.type === 'content_block_stop') {
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
  }
  signal.throwIfAborted();
  // The SDK's iterator just ends when the connection does: only this event says that the answer is whole.
  if (!complete) {
    throw new ModelError('stream_cut', 'The connection to Claude broke in the middle of the answer.', {
      transient: true,
    });
  }
  result.said = content.said();
  if (result.stopReason === 'tool_use') result.calls = content.calls();
  return result;
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
