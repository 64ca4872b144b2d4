import { randomBytes } from 'node:crypto';
import { QdrantClient } from '@qdrant/js-client-rest';
import type { BenchProcess } from './process.js';

/** Where the points of a bench are. */
export type VectorServer = {
  url: string;
  apiKey: string | undefined;
  /** An alias that nobody else uses. */
  collection: string;
  /** The same as settings, with those of the embedder, for the product's processes. */
  env: Record<string, string>;
  /** Processor time used so far, in milliseconds; null for a server that is not ours. */
  cpuMs(): Promise<number | null>;
};

type Options = {
  startStandIn: () => Promise<BenchProcess>;
  /** Takes what deletes the collections of the bench. */
  onDone: (undo: () => Promise<unknown>) => void;
};

/** Settings of the embedder that a bench hands on, so that any model can be measured. */
const embedderSettings = [
  'EMBEDDING_URL',
  'EMBEDDING_API_KEY',
  'EMBEDDING_MODEL',
  'EMBEDDING_WEIGHT',
  'EMBEDDING_CONCURRENCY',
  'EMBEDDING_REQUESTS_PER_MINUTE',
  'QDRANT_VECTOR_SIZE',
] as const;

/** Whether an embeddings API is measured in place of the built-in embedder. */
export const hasEmbeddingModel = (): boolean => Boolean(process.env.EMBEDDING_URL);

export async function startVectorServer({ startStandIn, onDone }: Options): Promise<VectorServer> {
  const given = process.env.QDRANT_URL;
  const apiKey = (given && process.env.QDRANT_API_KEY) || undefined;
  const collection = `bench_${randomBytes(4).toString('hex')}`;
  const standIn = given ? null : await startStandIn();
  const url = given ?? String(standIn?.ready.url);
  if (given) onDone(() => dropCollections({ url, apiKey }, collection));
  const embedder = embedderSettings.flatMap((name) => (process.env[name] ? [[name, process.env[name] ?? '']] : []));
  const env: Record<string, string> = {
    ...Object.fromEntries(embedder),
    QDRANT_URL: url,
    QDRANT_COLLECTION: collection,
    ...(apiKey ? { QDRANT_API_KEY: apiKey } : {}),
  };
  return { url, apiKey, collection, env, cpuMs: async () => (standIn ? standIn.cpuMs() : null) };
}

async function dropCollections(server: Pick<VectorServer, 'url' | 'apiKey'>, prefix: string): Promise<void> {
  const client = new QdrantClient({
    url: server.url,
    checkCompatibility: false,
    ...(server.apiKey ? { headers: { 'api-key': server.apiKey } } : {}),
  });
  const { collections } = await client.getCollections();
  for (const { name } of collections) if (name.startsWith(prefix)) await client.deleteCollection(name);
}
