import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { insertVersions } from '../../shared/documents/versions.js';
import { eventually } from '../support/eventually.js';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { makeDocument, openEditor, share, storedText } from '../support/documents.js';

let app: TestApp;
let ada: TestUser;
let ben: TestUser;
let guest: TestUser;

beforeAll(async () => {
  app = await startTestApp();
  await app.registerUser();
  ada = await app.registerUser({ name: 'Ada' });
  ben = await app.registerUser({ name: 'Ben' });
  guest = await app.registerUser({ name: 'Gil', role: 'guest' });
});
afterAll(() => app.close());

const call = (user: TestUser, method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
  app.request(method, path, { token: user.accessToken, body, headers });

describe('documents', () => {
  test('are made, listed, read, renamed and deleted', async () => {
    const made = await call(ada, 'POST', '/documents', { title: ' Plan ', content: '# Plan\n' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ title: 'Plan', ownerId: ada.user.id, level: 'edit', seq: 1 });
    const path = `/documents/${made.body.id}`;
    const list = await call(ada, 'GET', '/documents');
    expect(list.body.items[0].id).toBe(made.body.id);
    const read = await call(ada, 'GET', path);
    expect(read.body).toMatchObject({ content: '# Plan\n', base: '1' });
    const known = { 'if-none-match': read.headers.get('etag') ?? '' };
    expect((await call(ada, 'GET', path, undefined, known)).status).toBe(304);
    const renamed = await call(ada, 'PATCH', path, { title: 'Plans' });
    expect([renamed.status, renamed.body.title, renamed.body.content]).toEqual([200, 'Plans', '# Plan\n']);
    expect((await call(ada, 'GET', path, undefined, known)).body.title).toBe('Plans');
    expect((await call(ada, 'PATCH', path, { title: 'Plans' })).body.updatedAt).toBe(renamed.body.updatedAt);
    expect((await call(ada, 'DELETE', path)).status).toBe(204);
    expect((await call(ada, 'GET', path)).status).toBe(404);
  });

  test('from a file of Windows have the lines that an editor counts', async () => {
    const made = await call(ada, 'POST', '/documents', { content: '\ufeff# Plan\r\n\r\none\rtwo' });
    const path = `/documents/${made.body.id}`;
    const { body } = await call(ada, 'GET', path);
    expect(body.content).toBe('# Plan\n\none\ntwo');
    const content = '\ufeff# Plan\r\n\r\none\r\ntwo\r\nthree';
    const edited = await call(ada, 'PATCH', path, { content, base: body.base });
    expect(edited.body.content).toBe('# Plan\n\none\ntwo\nthree');
  });

  test('are as long as they may be also in JSON that is written in ASCII', async () => {
    const escaped = (count: number): string => `{"content":"${'\\u6c34'.repeat(count)}"}`;
    const post = (body: string) => app.request('POST', '/documents', { token: ada.accessToken, body });
    expect((await post(escaped(1_000_000))).status).toBe(201);
    expect((await post(escaped(1_000_001))).status).toBe(400);
  });

  test('are seen only by who was let in, and what one may see but not do is 403', async () => {
    expect((await call(guest, 'POST', '/documents', { title: 'G' })).status).toBe(403);
    const id = await makeDocument(app, ada, { title: 'T', content: 'text' });
    const path = `/documents/${id}`;
    const attempts: [string, string, object?][] = [
      ['GET', path],
      ['PATCH', path, { title: 'x' }],
      ['DELETE', path],
      ['GET', `${path}/access`],
      ['PUT', `${path}/access/${ben.user.id}`, { level: 'edit' }],
      ['GET', `${path}/export`],
      ['GET', `${path}/versions`],
    ];
    for (const [method, where, body] of attempts) expect((await call(ben, method, where, body)).status).toBe(404);
    await share(app, ada, id, guest, 'view');
    expect((await call(guest, 'GET', path)).body.level).toBe('view');
    expect((await call(guest, 'PATCH', path, { content: 'x', base: '1' })).status).toBe(403);
    expect((await call(guest, 'PATCH', path, { title: 'x' })).status).toBe(403);
    expect((await call(guest, 'DELETE', path)).status).toBe(403);
    expect((await call(guest, 'PUT', `${path}/access/${ben.user.id}`, { level: 'view' })).status).toBe(403);
    await share(app, ada, id, guest, 'edit');
    expect((await call(guest, 'PATCH', path, { title: 'ours' })).status).toBe(200);
    expect((await call(guest, 'DELETE', `${path}/access/${guest.user.id}`)).status).toBe(204);
    expect((await call(guest, 'GET', path)).status).toBe(404);
    expect((await call(ada, 'DELETE', `${path}/access/${ada.user.id}`)).status).toBe(409);
  });

  test('with a character that editors may have put in can be read, edited and exported', async () => {
    const id = await makeDocument(app, ada, { title: 'T', content: 'one\u0000two' });
    const editor = await openEditor(app, ada, id);
    editor.text.insert(0, '\u0000');
    await editor.provider.whenSaved();
    editor.close();
    const read = await call(ada, 'GET', `/documents/${id}`);
    expect(read.body.content).toBe('\u0000one\u0000two');
    const { base } = read.body;
    const edited = await call(ada, 'PATCH', `/documents/${id}`, { content: `${read.body.content}.`, base });
    expect([edited.status, edited.body.content]).toEqual([200, '\u0000one\u0000two.']);
    for (const format of ['md', 'html', 'txt'])
      expect((await call(ada, 'GET', `/documents/${id}/export?format=${format}`)).status).toBe(200);
  });
});

test('lists are read page by page, and end with the last that has something in it', async () => {
  const cy = await app.registerUser({ name: 'Cy' });
  const ids = [await makeDocument(app, cy), await makeDocument(app, cy)];
  const path = `/documents/${ids[0]}`;
  for (const instruction of ['one', 'two']) await call(cy, 'POST', `${path}/edits`, { instruction });
  const texts = ['one', 'two'].map((content) => ({ content, authorIds: [], reason: 'schedule' as const, editedAt: 0 }));
  await insertVersions(app.ctx.database, ids[0] ?? '', texts);
  for (const list of ['/documents', `${path}/suggestions`, `${path}/versions`]) {
    const whole = await call(cy, 'GET', `${list}?limit=2`);
    expect([whole.body.items.length, whole.body.nextCursor]).toEqual([2, null]);
    const first = await call(cy, 'GET', `${list}?limit=1`);
    const second = await call(cy, 'GET', `${list}?limit=1&cursor=${first.body.nextCursor}`);
    expect([...first.body.items, ...second.body.items], list).toEqual(whole.body.items);
    expect(second.body.nextCursor).toBeNull();
  }
});

describe('an edit over HTTP', () => {
  test('needs to say what it was made from', async () => {
    const id = await makeDocument(app, ada, { title: 'T', content: 'one two' });
    const path = `/documents/${id}`;
    const without = await call(ada, 'PATCH', path, { content: 'x' });
    expect([without.status, without.body.code]).toEqual([428, 'precondition_required']);
    const { body, headers } = await call(ada, 'GET', path);
    const etag = headers.get('etag') ?? '';
    // As it comes back through a proxy that compresses.
    const good = await call(ada, 'PATCH', path, { content: 'one two three' }, { 'if-match': `W/${etag}` });
    expect([good.status, good.body.content]).toEqual([200, 'one two three']);
    const stale = await call(ada, 'PATCH', path, { content: 'mine' }, { 'if-match': etag });
    expect([stale.status, stale.body.code]).toEqual([412, 'precondition_failed']);
    const merged = await call(ada, 'PATCH', path, { content: 'zero one two', base: body.base });
    expect(merged.body.content).toBe('zero one two three');
    for (const base of ['999', 'nonsense']) {
      expect((await call(ada, 'PATCH', path, { content: 'x', base })).status).toBe(412);
    }
    const any = await call(ada, 'PATCH', path, { content: 'anything' }, { 'if-match': '*' });
    expect(any.body.content).toBe('anything');
    expect((await call(ada, 'PATCH', path, { base: '1' })).status).toBe(400);
  });

  test('that is sent again, because no answer came, is made once', async () => {
    const id = await makeDocument(app, ada, { title: 'T', content: 'hello world\n' });
    await share(app, ada, id, ben);
    const { base } = (await call(ada, 'GET', `/documents/${id}`)).body;
    const content = 'hello brave new world\n';
    const send = (user: TestUser) => call(user, 'PATCH', `/documents/${id}`, { content, base });
    const answers = await Promise.all([send(ada), send(ada), send(ada)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await send(ada)).body.content).toBe(content);
    // What was changed since is not put back by it.
    const later = await call(ada, 'PATCH', `/documents/${id}`, { content: 'hello\n', base: answers[0]?.body.base });
    expect(later.body.content).toBe('hello\n');
    expect((await send(ada)).body.content).toBe('hello\n');
    // Another person's edit is another edit.
    expect((await send(ben)).body.content).toContain('brave new');
  });

  test('of whatever is there, by several at once, leaves the text of one of them', async () => {
    const id = await makeDocument(app, ada, { title: 'T', content: 'x' });
    const texts = Array.from({ length: 10 }, (_, index) => String(index).repeat(20));
    const answers = await Promise.all(
      texts.map((content) => call(ada, 'PATCH', `/documents/${id}`, { content }, { 'if-match': '*' })),
    );
    expect(answers.map(({ status }) => status)).toEqual(texts.map(() => 200));
    expect(texts).toContain(await storedText(app, ada, id));
  });

  test('and a person who types meanwhile are both there', async () => {
    const id = await makeDocument(app, ada, { title: 'T', content: 'first\nsecond\nthird 😀\n' });
    await share(app, ada, id, ben);
    const editor = await openEditor(app, ben, id);
    const { body } = await call(ada, 'GET', `/documents/${id}`);
    editor.text.insert(editor.text.toString().indexOf('second'), 'typed ');
    await editor.provider.whenSaved();
    const content = 'FIRST\nsecond\nthird 😁\nfourth\n';
    const patched = await call(ada, 'PATCH', `/documents/${id}`, { content, base: body.base });
    expect(patched.body.content).toBe('FIRST\ntyped second\nthird 😁\nfourth\n');
    await eventually(() => expect(editor.text.toString()).toBe(patched.body.content));
    editor.close();
  });

  test('of twenty with the same ETag at once exactly one is taken', async () => {
    const id = await makeDocument(app, ada, { title: 'T', content: 'x' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        call(ada, 'PATCH', `/documents/${id}`, { content: `x${index}` }, { 'if-match': '"1"' }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(19);
    expect(await storedText(app, ada, id)).toMatch(/^x\d+$/);
  });
});

test('is exported as Markdown, HTML without scripts, and plain text', async () => {
  const content =
    '# Title\n\nSome *text* <script>alert(1)</script> [link](javascript:alert(1))\n\n- one\n- two\n\n```js\nx < y\n```\n';
  const id = await makeDocument(app, ada, { title: 'Bericht "ü" <b>', content });
  const get = (format: string) => call(ada, 'GET', `/documents/${id}/export?format=${format}`);
  const md = await get('md');
  expect(md.body).toBe(content);
  expect(md.headers.get('content-type')).toContain('text/markdown');
  expect(md.headers.get('content-disposition')).toContain("filename*=UTF-8''Bericht%20-%C3%BC-%20-b-.md");
  const answer = await get('html');
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const html = answer.body as string;
  expect(html).toContain('<h1>Title</h1>');
  expect(html).not.toMatch(/<script|href="javascript|<b>/);
  expect((await get('txt')).body).toBe(
    'Title\n\nSome text <script>alert(1)</script> [link](javascript:alert(1))\n\n- one\n\n- two\n\nx < y\n',
  );
  expect((await get('pdf')).status).toBe(400);
});

test('is exported as plain text with a mark before what is in a list only, and with tables row by row', async () => {
  const content = '- ```\n  code\n  ```\n\nText\n\n-\n\nText\n\n1. | a | b |\n   |---|---|\n   | *1* | 2 |\n';
  const id = await makeDocument(app, ada, { title: 'T', content });
  const { body } = await call(ada, 'GET', `/documents/${id}/export?format=txt`);
  expect(body).toBe('- code\n\nText\n\nText\n\n1. a\tb\n\n1\t2\n');
});

test('a text that takes long to render holds nobody else up', { timeout: 60_000 }, async () => {
  const nasty = await makeDocument(app, ada, { title: 'N', content: '!['.repeat(500_000) });
  // Twice as long as HTTP takes it, which is four times the work: half of it a fast processor did within the limit.
  const editor = await openEditor(app, ada, nasty);
  editor.text.insert(0, editor.text.toString());
  await editor.provider.whenSaved();
  editor.close();
  const long = await makeDocument(app, ada, { title: 'L', content: 'Some *words* of a long text.\n\n'.repeat(1_000) });
  const ofBen = await makeDocument(app, ben, { title: 'B', content: 'Some *words* of a long text.\n\n'.repeat(1_000) });
  let rendered = false;
  let repeated = false;
  const first = call(ada, 'GET', `/documents/${nasty}/export?format=html`).finally(() => (rendered = true));
  const again = call(ada, 'GET', `/documents/${nasty}/export?format=txt`).finally(() => (repeated = true));
  const second = call(ada, 'GET', `/documents/${long}/export?format=txt`);
  expect((await call(ben, 'GET', '/documents')).status).toBe(200);
  expect(rendered).toBe(false);
  // He waits for one text of hers, and not for all that she has asked for.
  expect((await call(ben, 'GET', `/documents/${ofBen}/export?format=txt`)).status).toBe(200);
  expect(repeated).toBe(false);
  expect((await again).status).toBe(413);
  expect([(await first).status, (await first).body.code]).toEqual([413, 'payload_too_large']);
  const { status, body } = await second;
  expect([status, String(body).startsWith('Some words of a long text.\n')]).toEqual([200, true]);
});
