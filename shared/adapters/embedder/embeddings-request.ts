import { z } from 'zod';
import { EmbeddingError } from './embedder.js';
import { refusalOf } from './refusal.js';

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
  const said = await send(request);
  const error = errorIn(said);
  if (error) throw error;
  const parsed = answer.safeParse(said);
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
    if (!response.ok) {
      const said = await response.text().catch(() => '');
      throw refusalOf({ status: response.status, said, headers: response.headers });
    }
    return parse(await response.text());
  } catch (error) {
    if (error instanceof EmbeddingError) throw error;
    signal.throwIfAborted();
    if (timeout.aborted) {
      const message = `The embeddings service did not answer within ${timeoutMs / 1_000} s.`;
      throw new EmbeddingError('embedding_timeout', message, { transient: true, cause: error });
    }
    throw isAway(error)
      ? unavailable('cannot be reached at the moment', error)
      : failed('broke the connection off before it had answered', error);
  }
}

const unavailable = (what: string, cause: unknown): EmbeddingError =>
  new EmbeddingError('embedding_unavailable', `The embeddings service ${what}.`, { transient: true, cause });
const failed = (what: string, cause: unknown): EmbeddingError =>
  new EmbeddingError('embedding_failed', `The embeddings service ${what}.`, { transient: true, cause });

/** What was never connected to. A connection that breaks may do so because of what was sent over it. */
function isAway(error: unknown): boolean {
  const code = ((error as { cause?: { code?: unknown } } | null)?.cause?.code ?? '') as string;
  return !/^(ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_(HEADERS|BODY)_TIMEOUT)$/.test(code);
}

/**
 * A page in the place of JSON comes from a proxy whose service is starting, or from a wrong address; what is broken
 * otherwise may be so because of a text, for which some models make no numbers.
 */
function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    const said = 'answered with something else than JSON';
    throw /^\s*</.test(body) ? unavailable(said, error) : failed(said, error);
  }
}

/** Some proxies say 200 of an error, and put the status of the service behind them into the body. */
function errorIn(body: unknown): EmbeddingError | null {
  if (typeof body !== 'object' || body === null || 'data' in body || !('error' in body)) return null;
  const { error } = body;
  const code = (error as { code?: unknown } | null)?.code;
  const status = typeof code === 'number' && code >= 400 && code <= 599 ? code : 500;
  return refusalOf({ status, said: JSON.stringify(error), headers: new Headers() });
}

/** Numbers, or in base64 little-endian floats of 32 bits. */
function toVector(embedding: number[] | string): Float32Array {
  if (typeof embedding !== 'string') return Float32Array.from(embedding);
  const bytes = Buffer.from(embedding, 'base64');
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readFloatLE(index * 4));
}
