import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import type { TestUser } from '../support/app.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

let system: KnowledgeSystem;
let admin: TestUser;
let power: TestUser;
let regular: TestUser;

beforeAll(async () => {
  system = await startKnowledgeSystem({ env: { MAX_FILE_MB: '1' } });
  admin = await system.app.registerUser({ role: 'admin' });
  power = await system.app.registerUser({ role: 'power' });
  regular = await system.app.registerUser({ role: 'regular' });
});
afterAll(() => system.close());

const get = (user: TestUser, path: string) => system.app.request('GET', path, { token: user.accessToken });

describe('a file', () => {
  it('is stored as it is, and given back to those who may read it', async () => {
    const bytes = readFileSync('package-lock.json').subarray(0, 200_000);
    const name = 'Bericht "März" 2026\n.txt';
    const { status, body } = await system.upload(power, { name, bytes }, { title: 'Bericht', tags: 'a,b' });
    expect(status).toBe(202);
    expect(body.entry).toMatchObject({
      title: 'Bericht',
      tags: ['a', 'b'],
      version: { source: 'file', size: 200_000 },
    });
    await system.settled(power, body.entry.id);
    const url = `${system.app.url}/api/v1/knowledge/${body.entry.id}/file`;
    const headers = { authorization: `Bearer ${power.accessToken}` };
    const whole = await fetch(url, { headers });
    expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
    expect(whole.headers.get('content-disposition')).toMatch(
      /^attachment; filename="[^"\\]*"; filename\*=UTF-8''[\w%.-]+$/,
    );
    expect(whole.headers.get('x-content-type-options')).toBe('nosniff');
    expect(whole.headers.get('content-type')).toContain('text/plain');
    const part = await fetch(url, { headers: { ...headers, range: 'bytes=100-199' } });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe('bytes 100-199/200000');
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(100, 200))).toBe(true);
    const beyond = await fetch(url, { headers: { ...headers, range: 'bytes=200000-' } });
    expect([beyond.status, ((await beyond.json()) as { code: string }).code]).toEqual([416, 'range_not_satisfiable']);
    expect((await fetch(url, { headers: { authorization: `Bearer ${regular.accessToken}` } })).status).toBe(404);
  });

  it('that cannot be read fails with a reason, and its job with it', async () => {
    const { body } = await system.upload(power, {
      name: 'letter.pdf',
      bytes: new Uint8Array(64).map((_, n) => n * 37),
    });
    const entry = await system.settled(power, body.entry.id);
    expect(entry.version).toMatchObject({ state: 'failed', error: { code: 'unknown_type' } });
    await eventually(async () => expect((await get(power, `/jobs/${body.jobId}`)).body.state).toBe('failed'));
    expect((await system.post(admin, `/knowledge/${entry.id}/approve`)).status).toBe(409);
  });

  it('is refused when it is no form, holds no file, or has a field that nobody knows', async () => {
    const post = (body: FormData | string, headers: Record<string, string> = {}) =>
      fetch(`${system.app.url}/api/v1/knowledge/files`, {
        method: 'POST',
        headers: { authorization: `Bearer ${power.accessToken}`, ...headers },
        body,
      }).then((response) => response.status);
    const before = await system.objects();
    expect(await post('{}', { 'content-type': 'application/json' })).toBe(415);
    expect(await post('x', { 'content-type': 'multipart/form-data' })).toBe(400);
    expect(await post('garbage', { 'content-type': 'multipart/form-data; boundary=x' })).toBe(400);
    expect(await post(new FormData())).toBe(400);
    const unknown = new FormData();
    unknown.set('file', new Blob(['hello']), 'hello.txt');
    unknown.set('colour', 'red');
    expect(await post(unknown)).toBe(400);
    expect(await system.objects()).toEqual(before);
  });

  it('that is too large, or broken off, leaves nothing behind', async () => {
    const before = await system.objects();
    const { status, body } = await system.upload(power, { name: 'big.txt', bytes: 'x'.repeat(1_100_000) });
    expect([status, body.code]).toEqual([413, 'payload_too_large']);
    const stop = new AbortController();
    async function* slowly() {
      yield Buffer.from('--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nsome text');
      stop.abort();
      await new Promise(() => {});
    }
    const broken = fetch(`${system.app.url}/api/v1/knowledge/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${power.accessToken}`, 'content-type': 'multipart/form-data; boundary=x' },
      body: slowly() as unknown as ReadableStream,
      duplex: 'half',
      signal: stop.signal,
    } as RequestInit);
    await expect(broken).rejects.toThrow();
    await eventually(async () => expect(await system.objects()).toEqual(before));
  });

  it.each([
    ['in the middle of a file', 'form-data; name="file"; filename="a.txt"\r\n\r\nsome text'],
    ['after a file, without the last boundary', 'form-data; name="file"; filename="a.txt"\r\n\r\nsome text\r\n'],
    ['in a file of another field', 'form-data; name="other"; filename="a.txt"\r\n\r\nsome text'],
  ])('is refused when the form ends %s, and nothing of it is left', async (_where, disposition) => {
    // What the case before has begun to write may just be going.
    const before = (await system.objects()).filter((name) => !name.endsWith('.part'));
    const response = await fetch(`${system.app.url}/api/v1/knowledge/files`, {
      method: 'POST',
      headers: { authorization: `Bearer ${power.accessToken}`, 'content-type': 'multipart/form-data; boundary=x' },
      body: `--x\r\ncontent-disposition: ${disposition}`,
    });
    expect(response.status).toBe(400);
    await eventually(async () => expect(await system.objects()).toEqual(before));
  });

  it('gives an entry its next version', async () => {
    const { id } = await system.write(power, { content: 'The first form.' });
    await system.settled(power, id);
    const form = new FormData();
    form.set('file', new Blob(['The quollform is the second.']), 'second.txt');
    const put = (user: TestUser) =>
      fetch(`${system.app.url}/api/v1/knowledge/${id}/file`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${user.accessToken}` },
        body: form,
      });
    expect((await put(regular)).status).toBe(404);
    expect((await put(power)).status).toBe(202);
    expect((await system.settled(power, id)).version).toMatchObject({ n: 2, source: 'file', mimeType: 'text/plain' });
    expect(await system.search(power, 'quollform')).toHaveLength(1);
    expect((await get(power, `/knowledge/${id}/file?version=1`)).status).toBe(404);
  });

  it('is made into one entry for one Idempotency-Key, and another file under that key is refused', async () => {
    const send = async (text: string) => {
      const form = new FormData();
      form.set('file', new Blob([text]), 'once.txt');
      const response = await fetch(`${system.app.url}/api/v1/knowledge/files`, {
        method: 'POST',
        headers: { authorization: `Bearer ${power.accessToken}`, 'idempotency-key': 'file-once' },
        body: form,
      });
      return { status: response.status, body: (await response.json()) as { entry?: { id: string }; code?: string } };
    };
    const answers = await Promise.all([send('the same'), send('the same'), send('the same')]);
    expect(new Set(answers.map(({ body }) => body.entry?.id)).size).toBe(1);
    expect((await send('another')).body.code).toBe('idempotency_key_reused');
  });
});
