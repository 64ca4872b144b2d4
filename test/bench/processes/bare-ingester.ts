/**
 * Helper process: the least that makes files searchable. A loop that reads, cuts, embeds and upserts with the same
 * readers, batch sizes and vector server as the workers, and remembers nothing: no queue, no database, no progress.
 */
import { v7 as uuidv7 } from 'uuid';
import { createEmbedder } from '../../../shared/adapters/embedder/make.js';
import { createQdrantStore } from '../../../shared/adapters/vector-store/qdrant.js';
import { loadConfig } from '../../../shared/config.js';
import { type Chunk, chunk } from '../../../shared/knowledge/chunking/chunk.js';
import { createExtractor } from '../../../shared/knowledge/extraction/extract.js';
import { ExtractionFailed } from '../../../shared/knowledge/extraction/failure.js';
import { indexedText } from '../../../shared/knowledge/indexed-text.js';
import { chunksPerJob } from '../../../shared/knowledge/limits.js';
import { payloadOf, type Placement } from '../../../shared/knowledge/placement.js';
import { passageLength, passageVector } from '../../../shared/knowledge/ranking/bm25.js';
import { passageIndexes, pointId } from '../../../shared/knowledge/ranking/point.js';
import { severalAtOnce } from '../several.js';
import { serveQuestions } from '../stage/messages.js';

export type IngestOrder = { files: { path: string; name: string }[]; atOnce: number };
export type IngestReport = { chunks: number; unreadable: number; elapsedMs: number };

const config = loadConfig();
const signal = new AbortController().signal;
const extractor = createExtractor();
const embedder = createEmbedder(config.embedder);
const store = createQdrantStore(config.vectorStore, {
  alias: config.vectorStore.collection,
  model: embedder.model,
  size: embedder.size,
  indexes: passageIndexes,
});
await store.ensure();

/** Of all passages so far. */
const lengths = { terms: 0, passages: 0 };

async function ingest({ files, atOnce }: IngestOrder): Promise<IngestReport> {
  const startedAt = performance.now();
  let chunks = 0;
  let unreadable = 0;
  await severalAtOnce(files, atOnce, async (file) => {
    try {
      chunks += await ingestFile(file);
    } catch (error) {
      if (!(error instanceof ExtractionFailed)) throw error;
      unreadable += 1;
    }
  });
  return { chunks, unreadable, elapsedMs: performance.now() - startedAt };
}

async function ingestFile({ path, name }: IngestOrder['files'][number]): Promise<number> {
  const placement: Placement = {
    entryId: uuidv7(),
    versionId: uuidv7(),
    ownerId: uuidv7(),
    tags: [],
    status: 'draft',
    title: name,
    approved: false,
    newest: true,
    revision: 0,
  };
  let stored = 0;
  let batch: Chunk[] = [];
  for await (const found of chunk(extractor.extract({ path, name, signal }))) {
    batch.push(found);
    if (batch.length < chunksPerJob) continue;
    await storeBatch(placement, batch);
    stored += batch.length;
    batch = [];
  }
  if (batch.length > 0) await storeBatch(placement, batch);
  return stored + batch.length;
}

async function storeBatch(placement: Placement, batch: readonly Chunk[]): Promise<void> {
  const texts = batch.map(indexedText);
  const vectors = await embedder.embed(texts, 'passage', signal);
  lengths.terms += texts.reduce((sum, text) => sum + passageLength(text), 0);
  lengths.passages += texts.length;
  const payload = payloadOf(placement);
  await store.upsert(
    batch.map(({ index }, place) => ({
      id: pointId(placement.versionId, index),
      dense: vectors[place] ?? new Float32Array(embedder.size),
      sparse: passageVector(texts[place] ?? '', lengths.terms / lengths.passages, placement.title),
      payload: { ...payload, chunk: index },
    })),
  );
}

serveQuestions({ ingest });
