import type { JobKind } from '../../shared/jobs/index.js';
import type { JobHandler } from '../handler.js';
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

/** The handler of every kind of job: a kind of the catalogue without one does not compile. */
export const handlers: { [Kind in JobKind]: JobHandler<Kind> } = {
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
};
