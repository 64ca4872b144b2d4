import type { LanguageModel } from '../shared/adapters/language-model/model.js';
import type { Leases } from '../shared/backlog/leases.js';
import type { Context } from '../shared/context.js';
import type { QueryEncoder } from '../shared/knowledge/query-vectors.js';
import type { RelevanceJudge } from '../shared/knowledge/relevance.js';
import type { Extractor } from '../shared/knowledge/extraction/extract.js';
import type { PacedOutage } from './paced-outage.js';
import type { ReaderWatch } from './reader-watch.js';

/** What a worker process has beyond every process. */
export type WorkerContext = Context & {
  leases: Leases;
  model: LanguageModel;
  /** Tells replies that are being written of changed rights. */
  readerWatch: ReaderWatch;
  /** Reads files, in processes of their own. */
  extractor: Extractor;
  /** Makes vectors of what replies look for. */
  encodeQuery: QueryEncoder;
  /** Says which of what was found is about what was asked. */
  judge: RelevanceJudge;
  /** What is known of the vector store being away. */
  vectorStoreOutage: PacedOutage;
  /** What is known of the storage of files being away. */
  storageOutage: PacedOutage;
  /** What is known of the embeddings service being away, or not set up as it should be. */
  embedderOutage: PacedOutage;
  /** How long the first retry of a failed job waits, in milliseconds. */
  retryBaseMs: number;
};
