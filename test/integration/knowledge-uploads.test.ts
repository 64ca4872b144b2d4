import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestUser } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

let system: KnowledgeSystem;
let power: TestUser;

beforeAll(async () => {
  system = await startKnowledgeSystem();
  power = await system.app.registerUser({ role: 'power' });
});
afterAll(() => system.close());

const part = (disposition: string, content: string): string =>
  `--x\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;

const post = (parts: string | Readable): Promise<Response> =>
  fetch(`${system.app.url}/api/v1/knowledge/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${power.accessToken}`, 'content-type': 'multipart/form-data; boundary=x' },
    ...(typeof parts === 'string' ? { body: `${parts}--x--\r\n` } : { body: parts, duplex: 'half' }),
  } as RequestInit);

describe('a form', () => {
  const file = part('name="file"; filename="a.txt"', 'some text');

  it.each([
    ['two files', file + file],
    ['a file of a field that is too long', part('name="title"', 'x'.repeat(70_000)) + file],
    ['too many fields', part('name="tags"', 'a').repeat(40) + file],
    ['a file, and then one of another field', file + part('name="other"; filename="b.txt"', 'b')],
  ])('of %s is refused, and nothing of it is left', async (_what, parts) => {
    const before = await system.objects();
    expect((await post(parts)).status).toBe(400);
    expect(await system.objects()).toEqual(before);
  });

  it('with a field in another encoding than UTF-8 is refused: it would be kept as other characters', async () => {
    const parts = `${part('name="title"', 'Übersicht')}${file}--x--\r\n`;
    const response = await post(Readable.from([Buffer.from(parts, 'latin1')]));
    expect(await response.json()).toMatchObject({ status: 400, detail: 'The field "title" is not valid UTF-8.' });
    expect((await post(part('name="title"', 'Übersicht') + file)).status).toBe(202);
  });

  it('that is refused while it is long in coming is told why', async () => {
    async function* long(): AsyncGenerator<string> {
      yield part('name="other"; filename="a.txt"', 'some text');
      for (let turn = 0; turn < 200; turn += 1) {
        yield 'x'.repeat(100_000);
        await new Promise(setImmediate);
      }
      yield '\r\n--x--\r\n';
    }
    for (const _ of [1, 2, 3]) {
      const response = await post(Readable.from(long()));
      expect([response.status, await response.json()]).toMatchObject([400, { code: 'invalid_request' }]);
    }
  });

  it('may have its fields after the file', async () => {
    const response = await post(file + part('name="title"', 'Afterwards') + part('name="tags"', 'a,b'));
    expect(await response.json()).toMatchObject({ entry: { title: 'Afterwards', tags: ['a', 'b'] } });
  });
});

describe('the name of a file', () => {
  it.each([
    ['is cut at a character, not in it', `x${'😀'.repeat(130)}.txt`, `${'😀'.repeat(125)}.txt`],
    ['does not turn its direction', 'invoice\u202Etxt.exe', 'invoicetxt.exe'],
    ['is the last part of a path', '..\\..\\etc/passwd\0', 'passwd'],
    ['has its accents as people type them', 'Cafe\u0301.txt', 'Caf\u00e9.txt'],
    ['has the quotation marks that a browser escapes', 'a "b"\r\n 100%25.txt', 'a "b" 100%25.txt'],
  ])('%s', async (_what, name, kept) => {
    const { body } = await system.upload(power, { name, bytes: `named ${name}` });
    expect(body.entry).toMatchObject({ title: kept, version: { fileName: kept } });
  });
});

describe('a download', () => {
  let url: string;
  let etag: string;
  beforeAll(async () => {
    const { body } = await system.upload(power, { name: 'a.txt', bytes: '0123456789' });
    url = `${system.app.url}/api/v1/knowledge/${body.entry.id}/file`;
    etag = `"${body.entry.version.sha256}"`;
  });
  const get = async (headers: Record<string, string>, method = 'GET'): Promise<[number, string]> => {
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${power.accessToken}`, ...headers },
    });
    return [response.status, await response.text()];
  };

  it('is not sent again to who has it, whatever a proxy made of its mark', async () => {
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      expect(await get({ 'if-none-match': known })).toEqual([304, '']);
    }
    expect((await get({ 'if-none-match': '"other", W/"another"' }))[0]).toBe(200);
  });

  it('goes on only where the file is still the same', async () => {
    expect(await get({ range: 'bytes=5-', 'if-range': etag })).toEqual([206, '56789']);
    expect(await get({ range: 'bytes=5-', 'if-range': '"of an earlier version"' })).toEqual([200, '0123456789']);
    expect(await get({ range: 'bytes=-3' }, 'HEAD')).toEqual([206, '']);
  });
});

it('entries of the same text that are deleted at the same time leave no vector behind', async () => {
  const { database } = system.app.ctx;
  const content = `The ${randomBytes(8).toString('hex')} text of many entries.`;
  const entries = await Promise.all(Array.from({ length: 8 }, () => system.write(power, { content })));
  for (const { id } of entries) await system.settled(power, id);
  await Promise.all(
    entries.map(({ id }) => system.app.request('DELETE', `/knowledge/${id}`, { token: power.accessToken })),
  );
  await system.idle();
  const { rows } = await database.query(
    'SELECT 1 FROM embeddings WHERE content_hash NOT IN (SELECT content_hash FROM knowledge_chunks)',
  );
  expect(rows).toEqual([]);
  await eventually(async () => {
    const left = await database.query('SELECT 1 FROM knowledge_entries WHERE deleted_at IS NOT NULL');
    expect(left.rowCount).toBe(0);
  });
});

describe('a storage', () => {
  const files = (): string => path.join(system.storage, 'files');

  it('that cannot be written to is not the fault of the form, and passes', async () => {
    await rename(files(), `${files()}-away`);
    // In the way of the folder, as anything may be that makes writing fail: who runs the tests may write everywhere.
    await writeFile(files(), '');
    const file = { name: 'a.txt', bytes: 'x'.repeat(1_000_000) };
    const { status, body } = await system.upload(power, file);
    expect([status, body.code, body.detail]).toEqual([503, 'unavailable', expect.stringContaining('storage')]);
    await rm(files());
    await rename(`${files()}-away`, files());
    expect((await system.upload(power, file)).status).toBe(202);
  });

  it('that has lost a file has it again when somebody sends it', async () => {
    const bytes = `Lost and found ${randomBytes(8).toString('hex')}`;
    const statusOf = async (id: string): Promise<number> =>
      (await system.app.request('GET', `/knowledge/${id}/file`, { token: power.accessToken })).status;
    const first = (await system.upload(power, { name: 'a.txt', bytes })).body.entry.id;
    await system.settled(power, first);
    const { rows } = await system.app.ctx.database.query<{ key: string }>(
      'SELECT object_key AS key FROM files JOIN knowledge_versions ON file_sha256 = sha256 WHERE entry_id = $1',
      [first],
    );
    await rm(path.join(system.storage, rows[0]?.key ?? ''));
    expect(await statusOf(first)).toBe(404);
    const second = (await system.upload(power, { name: 'b.txt', bytes })).body.entry.id;
    expect((await system.settled(power, second)).version.state).toBe('ready');
    expect([await statusOf(first), await statusOf(second)]).toEqual([200, 200]);
  });
});

it('what is typed and not uploaded is text, whatever it begins with', async () => {
  for (const start of ['%PDF-1.7', '<html>', '{\\rtf1', 'From: a\nTo: b\nReceived: c']) {
    const { id } = await system.write(power, { content: `${start} is how the dingoword text begins` });
    expect((await system.settled(power, id)).version).toMatchObject({ state: 'ready', mimeType: 'text/markdown' });
  }
});
