import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { ObjectMissing, type ObjectStore, StorageUnavailable } from '../adapters/object-store/object-store.js';
import type { Sql } from '../database.js';
import { AppError } from '../errors.js';

/** Where uploads are kept: every object below it belongs to a row of `files`, or is left over. */
export const filePrefix = 'files/';

/** An upload whose bytes are stored; it belongs to nobody until {@link keepFile}. */
export type StoredFile = { objectKey: string; sha256: Buffer; size: number };

/**
 * Streams an upload to the object store, and learns its hash on the way.
 *
 * @param maxBytes larger ones are refused, and leave nothing behind.
 * @throws AppError `payload_too_large`, `unavailable`; what the source throws.
 */
export async function storeFile(
  objects: ObjectStore,
  source: AsyncIterable<Uint8Array>,
  { maxBytes, signal }: { maxBytes: number; signal?: AbortSignal },
): Promise<StoredFile> {
  const objectKey = `${filePrefix}${uuidv7()}`;
  const hash = createHash('sha256');
  let size = 0;
  async function* measured(): AsyncGenerator<Uint8Array> {
    for await (const bytes of source) {
      size += bytes.length;
      if (size > maxBytes) throw new AppError('payload_too_large', `A file may have up to ${maxBytes} bytes.`);
      hash.update(bytes);
      yield bytes;
    }
  }
  try {
    await objects.put(objectKey, measured(), signal);
  } catch (error) {
    throw isOfTheStorage(error) ? cannotStore(error) : error;
  }
  return { objectKey, sha256: hash.digest(), size };
}

/** What the system says of a disk that is full, read-only, not there or broken. */
const diskErrors =
  /^(ENOSPC|EDQUOT|EROFS|EACCES|EPERM|EIO|ENOENT|ENOTDIR|EEXIST|EMFILE|ENFILE|EFBIG|ENXIO|ENODEV|ESTALE)$/;

const isOfTheStorage = (error: unknown): boolean =>
  error instanceof StorageUnavailable || diskErrors.test(String((error as { code?: unknown } | null)?.code));

function cannotStore(cause: unknown): AppError {
  return new AppError('unavailable', 'Files cannot be stored at the moment. An operator has to look at the storage.', {
    retryAfterSeconds: 60,
    cause,
  });
}

/**
 * The object that is said to have these bytes, if it is not in the storage any more: a disk was lost, or restored as it
 * was before. Whoever sends the file again brings it back, to all entries that have it.
 */
export async function findLostObject(
  { database, objects }: { database: Sql; objects: ObjectStore },
  { sha256 }: { sha256: Buffer },
): Promise<string | null> {
  const { rows } = await database.query<{ objectKey: string }>(
    'SELECT object_key AS "objectKey" FROM files WHERE sha256 = $1',
    [sha256],
  );
  const objectKey = rows[0]?.objectKey;
  if (objectKey === undefined) return null;
  try {
    const bytes = await objects.open(objectKey);
    bytes.once('error', () => undefined).destroy();
    return null;
  } catch (error) {
    return error instanceof ObjectMissing ? objectKey : null;
  }
}

/**
 * Makes a stored file known, unless the same bytes are known already and not in the `lost` object. The row stays locked until the transaction
 * ends, so that nobody finds it unused meanwhile.
 *
 * @returns the object that has the bytes: another one than was given when they were known.
 */
export async function registerFile(tx: Sql, file: StoredFile, lost: string | null): Promise<string> {
  const { rows } = await tx.query<{ objectKey: string }>(
    `INSERT INTO files (sha256, object_key, size) VALUES ($1, $2, $3)
     ON CONFLICT (sha256) DO UPDATE SET
       object_key = CASE WHEN files.object_key = $4 THEN excluded.object_key ELSE files.object_key END
     RETURNING object_key AS "objectKey"`,
    [file.sha256, file.objectKey, file.size, lost],
  );
  return rows[0]?.objectKey ?? file.objectKey;
}

/** Locks a registered file against being removed. @throws AppError `conflict` */
export async function keepFile(tx: Sql, file: { sha256: Buffer }): Promise<void> {
  const { rowCount } = await tx.query('SELECT 1 FROM files WHERE sha256 = $1 FOR UPDATE', [file.sha256]);
  if (rowCount !== 1) throw new AppError('conflict', 'The file has just been removed. Send it again.');
}

/**
 * Forgets those of the files that no version uses. Run it in a transaction that has deleted versions.
 *
 * @returns the objects to delete after the commit.
 */
export async function forgetUnusedFiles(tx: Sql, hashes: readonly Buffer[]): Promise<string[]> {
  // Locked first and counted in a second statement: its snapshot sees what an upload has committed meanwhile.
  await tx.query('SELECT 1 FROM files WHERE sha256 = ANY($1::bytea[]) ORDER BY sha256 FOR UPDATE', [hashes]);
  const { rows } = await tx.query<{ objectKey: string }>(
    `DELETE FROM files WHERE sha256 = ANY($1::bytea[])
       AND NOT EXISTS (SELECT 1 FROM knowledge_versions WHERE file_sha256 = files.sha256)
     RETURNING object_key AS "objectKey"`,
    [hashes],
  );
  return rows.map(({ objectKey }) => objectKey);
}
