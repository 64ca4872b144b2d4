import { v5 } from 'uuid';
import type { Payload, PayloadIndexes } from '../../adapters/vector-store/vector-store.js';

/**
 * What a point carries beside its vectors: what searches filter by, and where the passage is. No text: that is read
 * from Postgres, after the rights were checked again there.
 */
export type PassagePayload = Payload & {
  kind: 'entry';
  entryId: string;
  versionId: string;
  /** Number of the passage in its version, from 0. */
  chunk: number;
  ownerId: string;
  /** The newest approved version of an entry: what everybody but its owner finds. */
  approved: boolean;
  /** The newest version that is ready: what its owner finds. */
  newest: boolean;
  tags: readonly string[];
  status: string;
  readers: readonly [];
};

/** The same for a passage of a document. It is found by the id of its point. */
export type DocumentPayload = Payload & {
  kind: 'document';
  /** Id of the document, under the name that filters of both kinds use. */
  entryId: string;
  /** Who has access to it. */
  readers: readonly string[];
  /** Which state of its access that is: for comparing, not for filters. */
  accessVersion: number;
};

/** The indexes that every filter on a passage's payload needs. */
export const passageIndexes: PayloadIndexes = {
  kind: 'keyword',
  entryId: 'uuid',
  versionId: 'uuid',
  ownerId: 'uuid',
  approved: 'bool',
  newest: 'bool',
  tags: 'keyword',
  status: 'keyword',
  readers: 'keyword',
};

/** Never changes: another one would double every point. */
const namespace = '3d7a0c1e-52c5-4d0c-9b8e-6b7a6f1d9f42';

/** The id of a passage's point, the same every time: writing it again overwrites. */
export function pointId(versionId: string, chunk: number): string {
  return v5(`${versionId}/${chunk}`, namespace);
}
