import Anthropic from '@anthropic-ai/sdk';
import type { Config } from '../../config.js';
import { untilAborted } from '../../lifecycle.js';
import { toModelError } from './anthropic-errors.js';
import { createEventReader, type EventReader } from './anthropic-events.js';
import { toParams } from './anthropic-request.js';
import { type IdleWatch, watchIdle } from './idle-watch.js';
import type { LanguageModel } from './model.js';
import { createPauses, inPortions, wrapBody } from './response-body.js';
import { createStreamingFetch, type Fetch } from './streaming-fetch.js';

type StreamingParams = Anthropic.MessageCreateParamsStreaming;

/**
 * Words after the first are gathered for 30 to 40 milliseconds: the eye does not see the difference. Gathered before
 * the SDK has read them and not after it: with 200 replies of 50 tokens a second on a machine without an idle core,
 * first deltas came after 29 ms (p50) instead of 60, and each token cost the worker 88 µs instead of 103.
 */
const portions = { stepMs: 10, steps: 4 };

/** Claude, over the Messages API. Retrying is the business of the job, so the SDK's own is off. */
export function createAnthropicModel(
  settings: Config['model'],
  streamingFetch: Fetch = createStreamingFetch(),
): LanguageModel {
  const client = new Anthropic({
    apiKey: settings.apiKey,
    baseURL: settings.baseURL,
    maxRetries: 0,
    // It would print pieces of answers to the console; what goes wrong is thrown, and logged by who catches it.
    logLevel: 'off',
    // The whole answer may take long; silence is what is limited, below.
    timeout: 60 * 60_000,
  });
  const pause = createPauses(portions.stepMs, portions.steps);

  return {
    async stream(request, listener, signal) {
      const watch = watchIdle(streamingFetch, settings.idleTimeoutMs, signal);
      try {
        const params: StreamingParams = { ...toParams(request), max_tokens: settings.maxTokens, stream: true };
        const reader = createEventReader(request.model, listener);
        const fetch: Fetch = async (input, init) =>
          wrapBody(await watch.fetch(input, init), (chunks) =>
            inPortions(chunks, async () => {
              reader.flush();
              if (reader.isSpeaking()) await pause();
            }),
          );
        const events = await client.withOptions({ fetch }).messages.create(params, { signal: watch.signal });
        await readAll(events, reader, watch);
        signal.throwIfAborted();
        return reader.result();
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

/**
 * The abort is waited for here, too: fetch can leave a read of a body unanswered for ever when the request is aborted in
 * the moment in which the last bytes come, and the reply would run on without a word.
 */
async function readAll(
  events: AsyncIterable<Anthropic.RawMessageStreamEvent>,
  reader: EventReader,
  watch: IdleWatch,
): Promise<void> {
  // Not asked of the signal: its getter took 2 % of all that reading an answer takes.
  let left = false;

  async function read(): Promise<void> {
    for await (const event of events) {
      if (left) return;
      reader.take(event);
      if (reader.isWhole()) watch.endSoon();
    }
    watch.signal.throwIfAborted();
  }

  try {
    await untilAborted(read(), watch.signal);
  } catch (error) {
    // An answer that is whole stays so, however its connection ends: made again, it would be paid for twice.
    if (!reader.isWhole()) throw error;
  } finally {
    left = true;
    reader.flush();
  }
}
