import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createCopy, removeOldCopies } from './copies.js';
import { type ByteRange, ObjectMissing, type ObjectStore, StorageUnavailable } from './object-store.js';

/** Where in S3: credentials and all else come from the environment, as the SDK reads it. */
export type S3Settings = {
  bucket: string;
  /** Before every key: empty, or ending with a slash. */
  prefix: string;
  endpoint?: string | undefined;
  region?: string | undefined;
  /** For services that do not have a host name for each bucket (MinIO, Ceph). */
  pathStyle: boolean;
};

/**
 * In bytes, and the least that S3 takes: with the largest number of parts it reaches 50 GB. Two parts of each upload are
 * under way at a time; with parts of 16 MiB five uploads at once took a web process to 453 MiB.
 */
const partSize = 5 * 1024 * 1024;

/**
 * In milliseconds; the SDK itself would wait for ever, and tries three times. An answer has to begin in time, which for a
 * part of an upload means 170 kB a second. How long the rest of a download takes is up to who reads it.
 */
const timeouts = { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true };

/** How long a copy to the disk may stand still, in milliseconds. */
const silenceMs = 30_000;

/** Objects in a bucket of S3, or of a service that speaks its API. */
export function createS3Store({ bucket, prefix, endpoint, region, pathStyle }: S3Settings): ObjectStore {
  const client = new S3Client({
    forcePathStyle: pathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    // Services other than Amazon's do not all know the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: timeouts,
  });
  // It can be left for the next start.
  removeOldCopies().catch(() => undefined);
  const place = (key: string) => ({ Bucket: bucket, Key: `${prefix}${key}` });

  async function get(key: string, range?: ByteRange, signal?: AbortSignal): Promise<GetObjectCommandOutput> {
    const command = new GetObjectCommand({
      ...place(key),
      ...(range ? { Range: `bytes=${range.start}-${range.end}` } : {}),
    });
    try {
      return await client.send(command, signal ? { abortSignal: signal } : {});
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if ((error as { name?: string }).name === 'NoSuchKey') throw new ObjectMissing(key);
      throw new StorageUnavailable(error);
    }
  }

  return {
    async put(key, source, signal) {
      const { bytes, brokenBy } = watch(source);
      const upload = new Upload({
        client,
        params: { ...place(key), Body: Readable.from(bytes, { objectMode: false }) },
        partSize,
        queueSize: 2,
      });
      const abort = (): void => void upload.abort();
      signal?.addEventListener('abort', abort, { once: true });
      try {
        signal?.throwIfAborted();
        await upload.done();
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        throw brokenBy() ?? new StorageUnavailable(error);
      } finally {
        signal?.removeEventListener('abort', abort);
      }
    },
    async open(key, range) {
      return (await get(key, range)).Body as Readable;
    },
    async localFile(key, signal) {
      const copy = await createCopy();
      try {
        const body = (await get(key, undefined, signal)).Body as IncomingMessage;
        body.setTimeout(silenceMs, () => body.destroy(new Error('The storage stopped in the middle of an object.')));
        await pipeline(body, createWriteStream(copy.path, { mode: 0o600 }), { signal });
        return copy;
      } catch (error) {
        await copy.release();
        if (signal.aborted) throw signal.reason;
        throw error instanceof ObjectMissing || error instanceof StorageUnavailable
          ? error
          : new StorageUnavailable(error);
      }
    },
    async delete(key) {
      await client.send(new DeleteObjectCommand(place(key)));
    },
    async *list(start) {
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `${prefix}${start}` })) {
        for (const { Key, LastModified } of page.Contents ?? []) {
          if (Key && LastModified) yield { key: Key.slice(prefix.length), changedAt: LastModified };
        }
      }
    },
    async readText(key) {
      try {
        return (await (await get(key)).Body?.transformToString()) ?? null;
      } catch (error) {
        if (error instanceof ObjectMissing) return null;
        throw error;
      }
    },
    close: () => client.destroy(),
  };
}

/** Tells what went wrong with the source from what went wrong with the storage, which is thrown into the source as well. */
function watch(source: AsyncIterable<Uint8Array>): { bytes: AsyncIterable<Uint8Array>; brokenBy(): Error | undefined } {
  let brokenBy: Error | undefined;
  async function* bytes(): AsyncGenerator<Uint8Array> {
    const iterator = source[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await iterator.next().catch((error: Error) => {
          brokenBy = error;
          throw error;
        });
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { bytes: bytes(), brokenBy: () => brokenBy };
}
