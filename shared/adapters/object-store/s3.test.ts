import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startS3 } from '../../../test/support/s3.js';
import { createObjectStore, parseStorage, type StorageSettings } from './create.js';
import { ObjectMissing, type ObjectStore, StorageUnavailable } from './object-store.js';

const never = new AbortController().signal;
const open = async (storage: string): Promise<ObjectStore> =>
  createObjectStore(parseStorage(storage) as StorageSettings);

let s3: Awaited<ReturnType<typeof startS3>>;
let store: ObjectStore;

async function* bytes(content: string): AsyncGenerator<Buffer> {
  yield Buffer.from(content);
}

/** More than one part of an upload. */
async function* parts(): AsyncGenerator<Buffer> {
  for (let n = 0; n < 12; n += 1) yield Buffer.alloc(1024 * 1024);
}

beforeAll(async () => {
  s3 = await startS3();
  for (const [name, value] of Object.entries(s3.env)) vi.stubEnv(name, value);
  store = await open(s3.storage);
  await store.put('there', bytes('x'.repeat(100_000)));
});
afterAll(async () => {
  store.close();
  vi.unstubAllEnvs();
  await s3.close();
});

test.each([403, 503] as const)('a service that answers %i is not available', async (status) => {
  s3.is(status);
  await expect(store.put('new', bytes('x'))).rejects.toBeInstanceOf(StorageUnavailable);
  await expect(store.put('new', parts())).rejects.toBeInstanceOf(StorageUnavailable);
  await expect(store.open('there')).rejects.toBeInstanceOf(StorageUnavailable);
  await expect(store.localFile('there', never)).rejects.toBeInstanceOf(StorageUnavailable);
});

test('one that breaks off in the middle, or is not there at all, is not available', async () => {
  s3.is('cut');
  await expect(store.localFile('there', never)).rejects.toBeInstanceOf(StorageUnavailable);
  const gone = await open('s3://bucket?region=eu-central-1&endpoint=http://127.0.0.1:1&pathStyle=true');
  await expect(gone.open('there')).rejects.toBeInstanceOf(StorageUnavailable);
  gone.close();
});

test('what the source of an upload throws stays what it is, and so does an object that is not there', async () => {
  s3.is('well');
  const broken = new Error('the sender went away');
  async function* breaking(): AsyncGenerator<Buffer> {
    yield Buffer.from('x');
    throw broken;
  }
  await expect(store.put('new', breaking())).rejects.toBe(broken);
  await expect(store.open('new')).rejects.toBeInstanceOf(ObjectMissing);
  expect(await text(await store.open('there'))).toHaveLength(100_000);
});
