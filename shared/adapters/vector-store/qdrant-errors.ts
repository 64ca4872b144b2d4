import { QdrantClientResourceExhaustedError, QdrantClientTimeoutError } from '@qdrant/js-client-rest';
import { VectorStoreError } from './vector-store.js';

/** What the client threw, as an error that says whether to try again and what to tell people. */
function toVectorStoreError(error: unknown): Error {
  if (error instanceof VectorStoreError) return error;
  const fail = (code: string, message: string, transient: boolean, retryAfterMs?: number): VectorStoreError =>
    new VectorStoreError(code, message, { transient, retryAfterMs, cause: error });
  if (error instanceof QdrantClientTimeoutError) {
    return fail('vector_store_timeout', 'The vector store did not answer in time.', true);
  }
  if (error instanceof QdrantClientResourceExhaustedError) {
    return fail('vector_store_unavailable', 'The vector store is overloaded.', true, error.retry_after * 1_000);
  }
  const status = statusOf(error);
  if (status === 404) return fail('vector_store_missing', 'The collection of the vector store does not exist.', true);
  if (status === 401 || status === 403) {
    const message = 'The vector store does not accept the key. An operator has to set QDRANT_API_KEY.';
    // Work waits for it, as for a store that is away: it is about no request, and is mended without any of them.
    return fail('vector_store_unauthorized', message, true);
  }
  if (status !== undefined && status < 500 && status !== 408 && status !== 429) {
    return fail('vector_store_refused', `The vector store refused the request (${status}): ${reasonOf(error)}`, false);
  }
  return fail('vector_store_unavailable', 'The vector store cannot be reached at the moment.', true);
}

/** The HTTP status that the client's error carries; none when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === 'number' ? status : undefined;
}

function reasonOf(error: unknown): string {
  const { data } = error as { data?: { status?: { error?: unknown } } };
  const said = data?.status?.error;
  return typeof said === 'string' ? said.slice(0, 300) : 'no reason given';
}

/** Resolves as `work` does, and rejects with a VectorStoreError in place of the client's errors. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toVectorStoreError(error);
  }
}
