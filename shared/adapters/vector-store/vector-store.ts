import type { Fusion } from '../embedder/embedder.js';
import { JobFailure } from '../../errors.js';
import type { Filter } from './filter.js';

/** Terms of a text: hashed terms (unsigned 32-bit, each once) and their weights, at the same positions. */
export type SparseVector = { indices: number[]; values: number[] };

export type PayloadValue = string | number | boolean | null | readonly string[];
export type Payload = Readonly<Record<string, PayloadValue>>;

/** How a payload field is indexed, in Qdrant's names. */
export type PayloadIndexes = Readonly<Record<string, 'keyword' | 'uuid' | 'bool' | 'integer'>>;

export type Point = {
  /** A UUID; a point that is there is overwritten. */
  id: string;
  dense: Float32Array;
  sparse: SparseVector;
  payload: Payload;
};

export type Hit = { id: string; score: number; payload: Payload };

export type HybridQuery = {
  /** Leave one out to search with the other alone. */
  dense?: Float32Array | undefined;
  sparse?: SparseVector | undefined;
  fusion: Fusion;
  filter: Filter;
  /** Hits wanted. */
  limit: number;
  /** Hits that each half contributes to the fusion; by default what has proved enough for `limit`. */
  candidates?: number;
  /** Payload fields that hits carry; default all. */
  fields?: readonly string[];
};

/** What the collection that is in service was made for. */
export type CollectionState =
  | { state: 'ready'; collection: string }
  | { state: 'missing' }
  /** Made for another model or size; `message` says how to re-index. */
  | { state: 'mismatch'; collection: string; message: string };

/**
 * The points of the collection of this model that is, or was last, in service under the alias QDRANT_COLLECTION; or of
 * the physical collection that {@link VectorStore.within} names.
 * Writes are done when their promise resolves: a search that starts afterwards sees them.
 *
 * Everything throws VectorStoreError.
 */
export type VectorStore = {
  /** The name that requests go to. */
  readonly name: string;
  /** Looks at what is in service, changes nothing; for the start of a process and for readiness. */
  check(): Promise<CollectionState>;
  /**
   * Makes what is missing: a collection for this model and size, its payload indexes, the alias. Safe to call at
   * every start and in several processes at once.
   *
   * @throws VectorStoreError `vector_store_mismatch` when the collection in service is for another model or size.
   */
  ensure(): Promise<{ collection: string; created: boolean }>;
  /** The physical collection that is in service, whatever its model. */
  inService(): Promise<string | null>;
  /** Whether a physical collection was made for this model and size. */
  fits(collection: string): boolean;

  /** Writes the points, in requests of bounded size. */
  upsert(points: readonly Point[]): Promise<void>;
  /** Deletes by ids; those that are not there do not matter. */
  deleteIds(ids: readonly string[]): Promise<void>;
  deleteWhere(filter: Filter): Promise<void>;
  /** Sets these fields of the points that match, and leaves their other fields alone. */
  setPayload(payload: Payload, filter: Filter): Promise<void>;

  search(query: HybridQuery): Promise<Hit[]>;
  /** All points that match, page by page, in the order of their ids. With `fields` they carry those of their payload. */
  scroll(
    filter: Filter,
    options?: { fields?: readonly string[]; pageSize?: number },
  ): AsyncGenerator<{ id: string; payload: Payload }[]>;
  count(filter?: Filter): Promise<number>;

  /** A new, empty collection for this model and size, with its indexes, that no alias points to yet. */
  createCollection(): Promise<string>;
  /** The same operations on one physical collection, for filling it before {@link VectorStore.switchTo}. */
  within(collection: string): VectorStore;
  /** Puts `collection` into service in one step; resolves to the collection that was in service before. */
  switchTo(collection: string): Promise<string | null>;
  deleteCollection(collection: string): Promise<void>;
  /** Physical collections made for this alias, whatever their model, oldest first. */
  collections(): Promise<string[]>;
};

/**
 * What went wrong with the vector store. Codes: `vector_store_unavailable`, `vector_store_timeout`,
 * `vector_store_unauthorized`, `vector_store_missing` (transient); `vector_store_refused`, `vector_store_mismatch` (permanent).
 */
export class VectorStoreError extends JobFailure {}
