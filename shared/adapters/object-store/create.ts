import { createDiskStore } from './disk.js';
import type { ObjectStore } from './object-store.js';
import type { S3Settings } from './s3.js';

/** Where objects are kept, as STORAGE says. */
export type StorageSettings = { type: 'disk'; folder: string } | ({ type: 's3' } & S3Settings);

/**
 * Reads STORAGE: a folder, or `s3://bucket/prefix?region=…&endpoint=…&pathStyle=true`.
 *
 * @returns null when it is neither.
 */
export function parseStorage(value: string): StorageSettings | null {
  if (!/^[a-z][a-z\d+.-]*:\/\//i.test(value)) return { type: 'disk', folder: value };
  if (!URL.canParse(value)) return null;
  const url = new URL(value);
  if (url.protocol !== 's3:' || !url.hostname || url.username) return null;
  const prefix = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '');
  return {
    type: 's3',
    bucket: url.hostname,
    prefix: prefix ? `${prefix}/` : '',
    endpoint: url.searchParams.get('endpoint') ?? undefined,
    region: url.searchParams.get('region') ?? undefined,
    pathStyle: url.searchParams.get('pathStyle') === 'true',
  };
}

/** Opens the store. The SDK of S3 takes 25 MB of memory: it is loaded only where it is used. */
export async function createObjectStore(settings: StorageSettings): Promise<ObjectStore> {
  if (settings.type === 'disk') return createDiskStore(settings.folder);
  const { createS3Store } = await import('./s3.js');
  return createS3Store(settings);
}
