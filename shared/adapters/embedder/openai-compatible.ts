import { setTimeout as wait } from 'node:timers/promises';
import { batchesOf } from './batches.js';
import { type Embedder, EmbeddingError, type TextKind } from './embedder.js';
import { requestEmbeddings } from './embeddings-request.js';
import { createRequestLimiter } from './request-limiter.js';
import { traitsOf } from './model-traits.js';
import { inPortions } from './portions.js';
import { toUnitLength } from './unit-length.js';

export type EmbeddingsApiSettings = {
  /** Where the API is: with or without `/v1` or `/v1/embeddings` at its end. One that ends with `/embeddings` is complete. */
  url: string;
  apiKey: string | undefined;
  model: string;
  /** Numbers that a vector must have. */
  size: number;
  /**
   * How much its vectors count in a search, from 0 to 1; the rest counts what BM25 finds. Tried with vectors of latent
   * semantics and simulated ones, 0.95 to 1.6 times as good as BM25: with 0.7 both together were better than each, or
   * within 0.003 of the better one; with equal weights strong vectors were better alone (nDCG@10 0.69 against 0.74). 0.8
   * is better from 1.3 times on, and worse below (MED, Cranfield: 0.946 instead of 0.943, but 0.552 instead of 0.571).
   */
  weight: number;
  /** Requests of this process at a time. */
  concurrency: number;
  /** Requests of this process in a minute; 0 is no limit. */
  requestsPerMinute: number;
  timeoutMs?: number;
  /** The first wait before a retry; it doubles with each. */
  firstRetryMs?: number;
};

/** After so many tries in a row the job goes back to the backlog, where waiting holds up nothing else. */
const maxTries = 4;
/** A longer wait is the job's, for the same reason. */
const maxWaitMs = 10_000;
/** A model on a processor of its own machine takes a minute and more for what a service answers in a second. */
const answerWithinMs = 180_000;

/** An embedder behind any API of the shape of OpenAI's `/v1/embeddings`: OpenAI, Voyage, Ollama, vLLM, TEI, … */
export function createEmbeddingsApi(settings: EmbeddingsApiSettings): Embedder {
  const { model, size } = settings;
  const url = endpointOf(settings.url);
  const traits = traitsOf(model);
  const limiter = createRequestLimiter(settings);

  function embedBatch(texts: string[], kind: TextKind, signal: AbortSignal): Promise<Float32Array[]> {
    const input = texts.map((text) => traits.prefix[kind] + text);
    return inPortions(input, (portion) => ask(portion, kind, signal));
  }

  async function ask(input: readonly string[], kind: TextKind, signal: AbortSignal): Promise<Float32Array[]> {
    const body = { model, input, ...traits.fields(kind, size) };
    const request = { url, apiKey: settings.apiKey, body, timeoutMs: settings.timeoutMs ?? answerWithinMs, signal };
    for (let tries = 1; ; tries += 1) {
      try {
        return await limiter.pass(() => requestEmbeddings(request, input.length), signal, kind === 'query');
      } catch (error) {
        if (!(error instanceof EmbeddingError) || !error.transient) throw error;
        // The same again would take as long again.
        if (error.code === 'embedding_timeout') throw error;
        const backoffMs = (settings.firstRetryMs ?? 500) * 2 ** (tries - 1) * (0.5 + Math.random());
        const waitMs = error.retryAfterMs ?? backoffMs;
        if (error.code === 'embedding_rate_limited') limiter.pause(Math.min(waitMs, maxWaitMs));
        if (tries === maxTries || waitMs > maxWaitMs) throw error;
        await wait(waitMs, undefined, { signal }).catch(() => {
          throw isTimeUp(signal) ? error : signal.reason;
        });
      }
    }
  }

  function checked(vector: Float32Array): Float32Array {
    if (vector.length !== size) {
      const message = `The model ${model} makes vectors of ${vector.length} numbers, but QDRANT_VECTOR_SIZE is ${size}. An operator has to set it to ${vector.length}.`;
      throw new EmbeddingError('embedding_size', message, { transient: false });
    }
    if (!vector.every(Number.isFinite)) {
      const message = 'The embeddings service answered with something else than numbers.';
      throw new EmbeddingError('embedding_malformed', message, { transient: false });
    }
    // Similar to nothing, it would keep the passage from being found by what it means, and nobody would know.
    if (vector.every((value) => value === 0)) {
      const message = 'The embeddings service answered with a vector of zeros, which says nothing of the text.';
      throw new EmbeddingError('embedding_malformed', message, { transient: false });
    }
    return toUnitLength(vector);
  }

  return {
    // Some models make vectors of several sizes.
    model: `${model}/${size}`,
    size,
    fusion: { by: 'distributions', dense: settings.weight },
    async embed(texts, kind, signal) {
      // One failed batch fails the whole: the others need not go on then.
      const stop = new AbortController();
      const either = AbortSignal.any([signal, stop.signal]);
      try {
        const made = await Promise.all(batchesOf(texts).map((batch) => embedBatch(batch, kind, either)));
        return made.flat().map(checked);
      } catch (error) {
        stop.abort(error);
        throw error;
      }
    },
  };
}

/** Who has no more time is told what it was spent on; who was told to stop, only that. */
const isTimeUp = (signal: AbortSignal): boolean => (signal.reason as Error | undefined)?.name === 'TimeoutError';

function endpointOf(given: string): string {
  const url = new URL(given);
  const path = url.pathname.replace(/\/+$/, '');
  if (path.endsWith('/embeddings')) url.pathname = path;
  else url.pathname = /\/v\d+$/.test(path) ? `${path}/embeddings` : `${path}/v1/embeddings`;
  return url.href;
}
