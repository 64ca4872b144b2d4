import type { z } from 'zod';
import { clean } from './clean.js';
import { compactDocument } from './compact-document.js';
import { editDocument } from './edit-document.js';
import { embedChunks } from './embed-chunks.js';
import { indexDocument } from './index-document.js';
import { ingestVersion } from './ingest-version.js';
import { removeVectors } from './remove-vectors.js';
import { replyToMessage } from './reply-to-message.js';
import { syncPayload } from './sync-payload.js';
import { upsertVectors } from './upsert-vectors.js';

export { queueNames, type JobContract, type QueueName } from './contract.js';

/** Every kind of job. The handler index is typed over it: a kind without a handler does not compile. */
export const catalogue = {
  'reply-to-message': replyToMessage,
  'edit-document': editDocument,
  'compact-document': compactDocument,
  'index-document': indexDocument,
  'ingest-version': ingestVersion,
  'embed-chunks': embedChunks,
  'upsert-vectors': upsertVectors,
  'remove-vectors': removeVectors,
  'sync-payload': syncPayload,
  clean,
} as const;

export type Catalogue = typeof catalogue;
export type JobKind = keyof Catalogue;
export type JobPayload<Kind extends JobKind> = z.infer<Catalogue[Kind]['payload']>;

/** True when this release knows the kind; a newer one may have put others into the database. */
export function isJobKind(kind: string): kind is JobKind {
  return Object.hasOwn(catalogue, kind);
}
