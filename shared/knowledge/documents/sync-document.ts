import { isDeepStrictEqual } from 'node:util';
import { all, is } from '../../adapters/vector-store/filter.js';
import type { VectorStore } from '../../adapters/vector-store/vector-store.js';
import type { Database } from '../../database.js';
import { writeTargets } from '../vector-index.js';
import { findDocumentPlacement, payloadOfDocument } from './placement.js';

const maxRounds = 10;

/** Makes the points of a document say who may find it. The rows are read again afterwards, as everywhere. */
export async function syncDocument(
  { database, vectors }: { database: Database; vectors: VectorStore },
  documentId: string,
): Promise<void> {
  for (let round = 0; round < maxRounds; round += 1) {
    const placement = await findDocumentPlacement(database, documentId);
    // Its points go with it.
    if (!placement) return;
    const targets = await writeTargets(database, vectors);
    for (const store of targets.stores) {
      await store.setPayload(payloadOfDocument(placement), all(is('entryId', documentId)));
    }
    const after = await findDocumentPlacement(database, documentId);
    if (isDeepStrictEqual(after, placement) && (await writeTargets(database, vectors)).key === targets.key) return;
  }
  throw new Error('access to the document changes faster than its points can be written');
}
