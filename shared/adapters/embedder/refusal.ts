import { retryAfterOf } from '../retry-after.js';
import { EmbeddingError } from './embedder.js';

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

/** Of an account without money, which no waiting helps: OpenAI says 429 of it, others 402 or 403. */
const saysUnpaid = /insufficient[_ ](quota|balance|credit|funds)|billing_(hard_limit|not_active)/i;

/** Gemini says 400 of it. */
const saysWrongKey = /api key/i;

/** Of a model: Ollama, vLLM and OpenAI say 404 of one that is not there, Voyage and Mistral 400. */
const saysUnknownModel =
  /\bmodel\b[^.]{0,80}(not (found|supported|available|exist)|unknown)|(invalid|unknown|unsupported|no such) model/i;

/** Of a vector that is to have other numbers than the model can make. */
const saysOtherSize = /dimension|matryoshka/i;

/** What an answer that is no success means, with what the service says of it. */
export function refusalOf(answer: { status: number; said: string; headers: Headers }): EmbeddingError {
  const { status } = answer;
  const said = answer.said.slice(0, 300);
  const fail = (code: string, message: string, options: { transient: boolean; retryAfterMs?: number }) =>
    new EmbeddingError(code, message, options);
  const permanent = { transient: false };
  if (status === 402 || ([400, 403, 429].includes(status) && saysUnpaid.test(said))) {
    const message = `The account at the embeddings service has no money left (${status}). An operator has to see to it.`;
    return fail('embedding_unpaid', message, permanent);
  }
  if (status === 401 || (status === 403 && !/\bmodel\b/i.test(said)) || (status === 400 && saysWrongKey.test(said))) {
    const message = 'The embeddings service does not accept the key. An operator has to set EMBEDDING_API_KEY.';
    return fail('embedding_unauthorized', message, permanent);
  }
  if (status === 404 || status === 403 || ([400, 422].includes(status) && saysUnknownModel.test(said))) {
    const message = `The embeddings service knows no such model or address, or does not give it to this key (${status}). An operator has to look at EMBEDDING_MODEL and EMBEDDING_URL: ${said}`;
    return fail('embedding_unknown_model', message, permanent);
  }
  if ([400, 422].includes(status) && saysOtherSize.test(said)) {
    const message = `The embedding model does not make vectors of QDRANT_VECTOR_SIZE numbers (${status}). An operator has to set it: ${said}`;
    return fail('embedding_size', message, permanent);
  }
  if (isTooLarge(status, said)) {
    return fail(
      'embedding_too_large',
      `The texts are too long for the embeddings service (${status}): ${said}`,
      permanent,
    );
  }
  const again = { transient: true, retryAfterMs: retryAfterOf(answer.headers) };
  if (status === 429) {
    const message = 'The embeddings service is answering too many requests of this account at the moment.';
    return fail('embedding_rate_limited', message, again);
  }
  if (status === 502 || status === 503) {
    return fail('embedding_unavailable', `The embeddings service is not available at the moment (${status}).`, again);
  }
  // TEI says 424 when the model itself has failed, perhaps on these texts.
  if (status >= 500 || [408, 409, 424, 425].includes(status)) {
    return fail('embedding_failed', `The embeddings service had an error (${status}): ${said}`, again);
  }
  return fail('embedding_refused', `The embeddings service refused the request (${status}): ${said}`, permanent);
}
