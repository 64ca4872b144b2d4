import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { createClient, createDocumentProvider } from '../../shared/client/index.js';
import { eventually } from '../support/eventually.js';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { type Editor, makeDocument, openEditor, share, storedText } from '../support/documents.js';

let one: TestApp;
let two: TestApp;
let ada: TestUser;
let ben: TestUser;
const editors: Editor[] = [];

beforeAll(async () => {
  one = await startTestApp();
  const { database, redis } = one.ctx.config;
  two = await startTestApp({ databaseUrl: database.url, redisUrl: redis.url });
  ada = await one.registerUser({ name: 'Ada' });
  ben = await one.registerUser({ name: 'Ben' });
});
afterAll(async () => {
  for (const editor of editors) editor.close();
  await two.close();
  await one.close();
});

async function open(app: TestApp, user: TestUser, documentId: string, doc?: Y.Doc): Promise<Editor> {
  const editor = await openEditor(app, user, documentId, doc);
  editors.push(editor);
  return editor;
}

const text = (editor: Editor): string => editor.text.toString();

describe('two people on two processes', () => {
  test('see what the other types, and Postgres has it when it is said to be saved', async () => {
    const id = await makeDocument(one, ada);
    await share(one, ada, id, ben);
    const [a, b] = await Promise.all([open(one, ada, id), open(two, ben, id)]);
    a.text.insert(0, 'Hello ');
    await eventually(() => expect(text(b)).toBe('Hello '));
    b.text.insert(6, 'world');
    await Promise.all([a.provider.whenSaved(), b.provider.whenSaved()]);
    expect(await storedText(one, ada, id)).toBe('Hello world');
    await eventually(() => expect(text(a)).toBe('Hello world'));
  });

  test('type at once, and end with the same text', async () => {
    const id = await makeDocument(one, ada, { title: 'T', content: 'start ' });
    await share(one, ada, id, ben);
    const [a, b] = await Promise.all([open(one, ada, id), open(two, ben, id)]);
    for (let count = 0; count < 50; count += 1) {
      a.text.insert(count % (a.text.length + 1), 'a');
      b.text.insert(b.text.length, 'b');
      if (count % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all([a.provider.whenSaved(), b.provider.whenSaved()]);
    await eventually(() => expect(text(a)).toBe(text(b)));
    expect(await storedText(one, ada, id)).toBe(text(a));
    expect(text(a)).toHaveLength('start '.length + 100);
  });

  test('see who is there, and the cursor of the other until it goes', async () => {
    const id = await makeDocument(one, ada);
    await share(one, ada, id, ben, 'view');
    const a = await open(one, ada, id);
    a.provider.awareness.setLocalStateField('user', { name: 'Ada', at: 3 });
    const b = await open(two, ben, id);
    b.provider.awareness.setLocalStateField('user', { name: 'Ben' });
    const seenBy = (editor: Editor, other: Editor) =>
      editor.provider.awareness.getStates().get(other.doc.clientID)?.user as { name: string } | undefined;
    await eventually(() => expect(seenBy(b, a)).toEqual({ name: 'Ada', at: 3 }));
    await eventually(() => expect(seenBy(a, b)).toEqual({ name: 'Ben' }));
    await eventually(() =>
      expect([...a.provider.present.values()].map(({ name }) => name).sort()).toEqual(['Ada', 'Ben']),
    );
    b.close();
    await eventually(() => expect(seenBy(a, b)).toBeUndefined());
    await eventually(() => expect([...a.provider.present.values()].map(({ name }) => name)).toEqual(['Ada']));
  });
});

describe('somebody who was away', () => {
  test('brings what was written offline, and gets what others wrote', async () => {
    const id = await makeDocument(one, ada, { title: 'T', content: 'base' });
    await share(one, ada, id, ben);
    const a = await open(one, ada, id);
    const offline = new Y.Doc();
    Y.applyUpdate(offline, Y.encodeStateAsUpdate(a.doc));
    for (let count = 0; count < 500; count += 1) offline.getText('content').insert(0, 'o');
    a.text.insert(4, ' and more');
    await a.provider.whenSaved();
    const b = await open(two, ben, id, offline);
    await b.provider.whenSaved();
    await eventually(() => expect(text(a)).toBe(`${'o'.repeat(500)}base and more`));
    expect(text(b)).toBe(text(a));
    expect(await storedText(one, ada, id)).toBe(text(a));
  });

  test('nothing is sent of a kept document that the server has already', async () => {
    const id = await makeDocument(one, ada, { title: 'T', content: 'abc' });
    const a = await open(one, ada, id);
    a.text.delete(0, 1);
    await a.provider.whenSaved();
    const before = (await one.request('GET', `/documents/${id}`, { token: ada.accessToken })).body.seq;
    const kept = new Y.Doc();
    Y.applyUpdate(kept, Y.encodeStateAsUpdate(a.doc));
    const again = await open(two, ada, id, kept);
    await again.provider.whenSaved();
    expect((await one.request('GET', `/documents/${id}`, { token: ada.accessToken })).body.seq).toBe(before);
  });

  test('a kept document is not called saved before the server has what it lacked', async () => {
    const id = await makeDocument(one, ada, { title: 'T', content: 'base' });
    await share(one, ada, id, ben);
    const kept = new Y.Doc();
    kept.getText('content').insert(0, 'kept ');
    const client = createClient({ url: two.url, token: ben.accessToken });
    const provider = createDocumentProvider(client, id, kept);
    expect(provider.saved).toBe(false);
    await provider.whenSaved();
    client.close();
    expect(await storedText(one, ada, id)).toContain('kept ');
  });

  test('what waits for operations of others does not hold up what was written offline', async () => {
    const id = await makeDocument(one, ada);
    await share(one, ada, id, ben);
    const strange = new Y.Doc();
    strange.getText('content').insert(0, 'never sent');
    const from = Y.encodeStateVector(strange);
    strange.getText('content').insert(0, 'waits');
    // It is refused now; a log may have it from before.
    await one.ctx.database.query(
      `INSERT INTO document_updates (document_id, seq, update, author_ids) VALUES ($1, 1, $2, ARRAY[$3::uuid])`,
      [id, Buffer.from(Y.encodeStateAsUpdate(strange, from)), ben.user.id],
    );
    await one.ctx.database.query('UPDATE document_heads SET last_seq = 1 WHERE document_id = $1', [id]);
    const kept = (await open(one, ada, id)).doc;
    const copy = new Y.Doc();
    Y.applyUpdate(copy, Y.encodeStateAsUpdate(kept));
    copy.getText('content').insert(0, 'offline');
    expect(copy.store.pendingStructs).not.toBeNull();
    const again = await open(one, ada, id, copy);
    await again.provider.whenSaved();
    expect(await storedText(one, ada, id)).toBe('offline');
  });

  test('a client that is closed, or not let in, leaves nobody waiting', async () => {
    const id = await makeDocument(one, ada);
    const a = await open(one, ada, id);
    a.text.insert(0, 'x');
    const waiting = a.provider.whenSaved();
    a.client.close();
    await expect(waiting).rejects.toMatchObject({ type: 'closed' });
    await expect(createDocumentProvider(a.client, id, new Y.Doc()).whenSynced()).rejects.toMatchObject({
      type: 'closed',
    });
    const stranger = createClient({ url: one.url, token: 'nonsense' });
    await expect(createDocumentProvider(stranger, id, new Y.Doc()).whenSynced()).rejects.toMatchObject({
      type: 'unauthenticated',
    });
  });

  test('an edit of 5 MB arrives', async () => {
    const id = await makeDocument(one, ada);
    const [a, b] = await Promise.all([open(one, ada, id), open(two, ada, id)]);
    const long = 'five megabytes '.repeat(350_000);
    a.text.insert(0, long);
    await a.provider.whenSaved();
    await eventually(() => expect(text(b).length).toBe(long.length), { timeout: 10_000 });
    expect(text(b) === long).toBe(true);
  });
});

describe('rights', () => {
  test('who may only view is refused, also a moment after the right was taken', async () => {
    const id = await makeDocument(one, ada);
    await share(one, ada, id, ben);
    const [a, b] = await Promise.all([open(one, ada, id), open(two, ben, id)]);
    b.text.insert(0, 'yes');
    await b.provider.whenSaved();
    await share(one, ada, id, ben, 'view');
    b.text.insert(0, 'no ');
    await expect(b.provider.whenSaved()).rejects.toMatchObject({ type: 'forbidden' });
    await eventually(() => expect(b.provider.level).toBe('view'));
    expect(text(a)).toBe('yes');
    await share(one, ada, id, ben, 'edit');
    await b.provider.whenSaved();
    await eventually(() => expect(text(a)).toBe('no yes'));
  });

  test('a revoked access closes the room in the other process', async () => {
    const id = await makeDocument(one, ada);
    await share(one, ada, id, ben);
    const [a, b] = await Promise.all([open(one, ada, id), open(two, ben, id)]);
    const closed = new Promise((resolve) => b.provider.on('closed', resolve));
    await one.request('DELETE', `/documents/${id}/access/${ben.user.id}`, { token: ada.accessToken });
    await closed;
    a.text.insert(0, 'secret');
    await a.provider.whenSaved();
    expect(text(b)).toBe('');
    const answer = await two.request('GET', `/documents/${id}`, { token: ben.accessToken });
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  });
});
