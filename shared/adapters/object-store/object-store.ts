import type { Readable } from 'node:stream';

/** First and last byte that are wanted, counted from 0, both included. */
export type ByteRange = { start: number; end: number };

/** An object that can be opened by path: of a disk store itself, else a copy that `release` deletes. */
export type LocalFile = { path: string; release(): Promise<void> };

/** Where the bytes of files are. Objects are written once and never changed. Keys are ours: `files/<uuid>`. */
export type ObjectStore = {
  /**
   * Writes an object piece by piece, never holding it in memory. One that was not written to its end is not there.
   *
   * @throws what the source throws; the signal's reason when aborted; StorageUnavailable.
   */
  put(key: string, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void>;
  /** @throws ObjectMissing, StorageUnavailable */
  open(key: string, range?: ByteRange): Promise<Readable>;
  /** The object as a file of this machine. @throws ObjectMissing, StorageUnavailable */
  localFile(key: string, signal: AbortSignal): Promise<LocalFile>;
  /** One that is not there does not matter. */
  delete(key: string): Promise<void>;
  /** Every object whose key begins so. */
  list(prefix: string): AsyncIterable<{ key: string; changedAt: Date }>;
  /** A small object that changes: what it holds, or null when there is none. */
  readText(key: string): Promise<string | null>;
  close(): void;
};

/** The object is not there: it was deleted, or is on another machine's disk. */
export class ObjectMissing extends Error {
  constructor(key: string) {
    super(`there is no object ${key}`);
    this.name = 'ObjectMissing';
  }
}

/** A storage beyond the network is away, or refuses us. What it holds is not lost: it may be asked again. */
export class StorageUnavailable extends Error {
  readonly code = 'storage_unavailable';

  constructor(cause: unknown) {
    super('The storage of files is not available at the moment.', { cause });
    this.name = 'StorageUnavailable';
  }
}
