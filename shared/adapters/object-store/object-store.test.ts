import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.js';
import { createObjectStore, parseStorage } from './create.js';
import { ObjectMissing, type ObjectStore } from './object-store.js';

/** A bucket to try the same on, as STORAGE would name it; its credentials are in AWS's own variables. */
const bucket = process.env.MILLRACE_TEST_S3;

const megabyte = 1024 * 1024;
const never = new AbortController().signal;

async function* pieces(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe.each(['disk', ...(bucket ? ['s3'] : [])])('objects in %s', (kind) => {
  let store: ObjectStore;
  let folder: string;
  /** Keys of this run begin so. */
  const start = `files-${randomUUID()}`;
  const key = (name: string): string => `${start}/${name}`;
  const names = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const object of store.list(`${start}/`)) found.push(object.key.slice(start.length + 1));
    return found.sort();
  };

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'millrace-objects-'));
    const settings = parseStorage(kind === 'disk' ? folder : (bucket ?? ''));
    if (!settings) throw new Error('MILLRACE_TEST_S3 is not like s3://bucket/prefix');
    store = await createObjectStore(settings);
  });
  afterAll(async () => {
    for (const name of await names()) await store.delete(key(name));
    store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('come back as they were put, whole, in part, and as a file', { timeout: 60_000 }, async () => {
    // More than two parts of an upload to S3.
    const bytes = randomBytes(12 * megabyte + 17);
    await store.put(key('large'), pieces(bytes));
    expect((await buffer(await store.open(key('large')))).equals(bytes)).toBe(true);
    const range = { start: 9 * megabyte - 3, end: 9 * megabyte + 3 };
    const part = await buffer(await store.open(key('large'), range));
    expect(part.equals(bytes.subarray(range.start, range.end + 1))).toBe(true);
    const file = await store.localFile(key('large'), never);
    expect((await readFile(file.path)).equals(bytes)).toBe(true);
    await file.release();
  });

  it('may be small, empty, and read as text', async () => {
    await store.put(key('empty'), pieces(Buffer.alloc(0)));
    expect(await buffer(await store.open(key('empty')))).toHaveLength(0);
    await store.put(key('text'), pieces(Buffer.from('Grüße')));
    expect(await store.readText(key('text'))).toBe('Grüße');
    await store.put(key('text'), pieces(Buffer.from('other')));
    expect(await store.readText(key('text'))).toBe('other');
    expect(await store.readText(key('nothing'))).toBeNull();
  });

  it('that are not there are missing, and deleting them does not matter', async () => {
    await expect(store.open(key('nothing'))).rejects.toThrow(ObjectMissing);
    await expect(store.open(key('nothing'), { start: 0, end: 1 })).rejects.toThrow(ObjectMissing);
    await expect(store.localFile(key('nothing'), never)).rejects.toThrow(ObjectMissing);
    await store.delete(key('nothing'));
  });

  it('are listed until they are deleted', async () => {
    const before = await names();
    await store.put(key('one'), pieces(Buffer.from('1')));
    await store.put(key('two'), pieces(Buffer.from('2')));
    expect(await names()).toEqual([...before, 'one', 'two'].sort());
    for await (const { changedAt } of store.list(key('one'))) expect(changedAt.getTime()).toBeGreaterThan(1e12);
    await store.delete(key('one'));
    expect(await names()).toEqual([...before, 'two'].sort());
  });

  it('whose source breaks or that are aborted are not there', { timeout: 60_000 }, async () => {
    const before = await names();
    const breaking = async function* (): AsyncGenerator<Buffer> {
      yield randomBytes(18 * megabyte);
      throw new Error('the client has gone');
    };
    await expect(store.put(key('broken'), breaking())).rejects.toThrow('the client has gone');
    const controller = new AbortController();
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (let n = 0; ; n += 1) {
        if (n === 18) controller.abort(new Error('enough'));
        yield randomBytes(megabyte);
      }
    };
    await expect(store.put(key('aborted'), endless(), controller.signal)).rejects.toThrow('enough');
    expect(await names()).toEqual(before);
  });
});

it('copies of objects that a killed process has left are removed, and those in use are not', async () => {
  const [old, young] = await Promise.all([1, 2].map(() => mkdtemp(path.join(tmpdir(), 'millrace-object-'))));
  const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 60 * 60;
  await utimes(old ?? '', twoDaysAgo, twoDaysAgo);
  const settings = parseStorage('s3://bucket?region=eu-west-1');
  if (!settings) throw new Error('this names a bucket');
  (await createObjectStore(settings)).close();
  await eventually(async () => expect(await readdir(tmpdir())).not.toContain(path.basename(old ?? '')));
  expect(await readdir(tmpdir())).toContain(path.basename(young ?? ''));
  await rm(young ?? '', { recursive: true });
});
