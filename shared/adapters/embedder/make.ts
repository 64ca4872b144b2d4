import type { Embedder } from './embedder.js';
import { createFeatureHashingEmbedder } from './feature-hashing.js';
import { createEmbeddingsApi, type EmbeddingsApiSettings } from './openai-compatible.js';

/** The embeddings API that is configured; without a URL the built-in embedder. */
export function createEmbedder(settings: Omit<EmbeddingsApiSettings, 'url'> & { url: string | undefined }): Embedder {
  const { url } = settings;
  return url === undefined ? createFeatureHashingEmbedder(settings.size) : createEmbeddingsApi({ ...settings, url });
}
