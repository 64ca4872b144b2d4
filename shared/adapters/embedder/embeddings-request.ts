import { z } from 'zod';
import { retryAfterOf } from '../retry-after.js';
import { EmbeddingError } from './embedder.js';

type Request = {
  url: string;
  apiKey: string | undefined;
  body: Record<string, unknown>;
  timeoutMs: number;
  signal: AbortSignal;
};

/** Some services leave the index away, and then keep the order. */
const answer = z.object({
  data: z.array(
    z.object({ index: z.number().int().min(0).nullish(), embedding: z.union([z.array(z.number()), z.string()]) }),
  ),
});

/**
 * One request to `/v1/embeddings`: the vectors in the order of the texts, as the service made them.
 *
 * @throws EmbeddingError; the signal's reason when aborted.
 */
export async function requestEmbeddings(request: Request, count: number): Promise<Float32Array[]> {
  const parsed = answer.safeParse(await send(request));
  const found = parsed.data?.data ?? [];
  const ordered = found.every(({ index }) => typeof index !== 'number');
  const data = found.map(({ index, embedding }, place) => ({ index: (ordered ? place : index) ?? count, embedding }));
  if (new Set(data.map(({ index }) => index)).size !== count || data.some(({ index }) => index >= count)) {
    const message = `The embeddings service did not answer with a vector for each of ${count} texts.`;
    throw new EmbeddingError('embedding_malformed', message, { transient: false });
  }
  const vectors: Float32Array[] = [];
  // Not every service keeps the order.
  for (const { index, embedding } of data) vectors[index] = toVector(embedding);
  return vectors;
}

async function send({ url, apiKey, body, timeoutMs, signal }: Request): Promise<unknown> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, timeout]),
    });
    if (!response.ok) throw await refusal(response);
    return await response.json();
  } catch (error) {
    if (error instanceof EmbeddingError) throw error;
    signal.throwIfAborted();
    if (timeout.aborted) {
      const message = `The embeddings service did not answer within ${timeoutMs / 1_000} s.`;
      throw new EmbeddingError('embedding_timeout', message, { transient: true, cause: error });
    }
    // A proxy may answer for a service that is starting; a wrong address does so for ever, and its operator reads this.
    const said =
      error instanceof SyntaxError ? 'answered with something else than JSON' : 'cannot be reached at the moment';
    throw new EmbeddingError('embedding_unavailable', `The embeddings service ${said}.`, {
      transient: true,
      cause: error,
    });
  }
}

/**
 * What services say of a text, or of several together, that is more than they take. The statuses differ: TEI answers
 * 413 or 422, vLLM and OpenAI 400, llama.cpp 500.
 */
const saysTooLarge =
  /too (long|large|many|big)|max(imum)?\b|max_|exceed|at most|(less|fewer|shorter) than|context (length|size|window)|batch size/i;

/** An error of the server speaks of limits that have nothing to do with texts: retries, deadlines, connections. */
const errorSaysTooLarge = /too (long|large|many tokens)|(context|sequence) (length|size|window)|batch size/i;

function isTooLarge(status: number, said: string): boolean {
  if (status === 500) return errorSaysTooLarge.test(said);
  return status === 413 || ([400, 422].includes(status) && saysTooLarge.test(said));
}

async function refusal(response: Response): Promise<EmbeddingError> {
  const said = (await response.text().catch(() => '')).slice(0, 300);
  const { status } = response;
  if (status === 401 || status === 403) {
    const message = 'The embeddings service does not accept the key. An operator has to set EMBEDDING_API_KEY.';
    return new EmbeddingError('embedding_unauthorized', message, { transient: false });
  }
  if (isTooLarge(status, said)) {
    const message = `The texts are too long for the embeddings service (${status}): ${said}`;
    return new EmbeddingError('embedding_too_large', message, { transient: false });
  }
  const retryAfterMs = retryAfterOf(response.headers);
  // OpenAI says 429 also of an account without money, which no waiting helps.
  if (status === 429 && !/insufficient_quota/.test(said)) {
    const message = 'The embeddings service is answering too many requests of this account at the moment.';
    return new EmbeddingError('embedding_rate_limited', message, { transient: true, retryAfterMs });
  }
  // TEI says 424 when the model itself has failed.
  if (status >= 500 || [408, 409, 424, 425].includes(status)) {
    const message = `The embeddings service had an error (${status}).`;
    return new EmbeddingError('embedding_unavailable', message, { transient: true, retryAfterMs });
  }
  const message = `The embeddings service refused the request (${status}): ${said}`;
  return new EmbeddingError('embedding_refused', message, { transient: false });
}

/** Numbers, or in base64 little-endian floats of 32 bits. */
function toVector(embedding: number[] | string): Float32Array {
  if (typeof embedding !== 'string') return Float32Array.from(embedding);
  const bytes = Buffer.from(embedding, 'base64');
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readFloatLE(index * 4));
}
