import { afterAll, afterEach, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { createDocumentProvider, startOver } from '../../shared/client/index.js';
import { startDocumentStage } from '../support/document-scene.js';
import { eventually } from '../support/eventually.js';
import { makeDocument, storedText } from '../support/documents.js';

const stage = await startDocumentStage();
const { app, way, ada, editors, scene } = stage;
afterEach(() => editors.splice(0).forEach((editor) => editor.close()));
afterAll(() => stage.close());

test('a document beyond those that a connection may have open is closed with the reason', async () => {
  const { id, a } = await scene();
  const made = Array.from({ length: 199 }, () =>
    app.request('POST', '/documents', { token: ada.accessToken, body: {} }),
  );
  const others = (await Promise.all(made)).map(({ body }) => body.id as string);
  const join = (documentId: string) => a.client.connection.request('document:join', { documentId, clientId: 1 });
  const rooms = await Promise.allSettled(others.map(join));
  expect(rooms.some(({ status }) => status === 'rejected')).toBe(true);
  const last = createDocumentProvider(a.client, await makeDocument(app, ada), new Y.Doc());
  await expect(last.whenSynced()).rejects.toMatchObject({ type: 'forbidden' });
  a.text.insert(0, 'still open');
  await a.provider.whenSaved();
  expect(await storedText(app, ada, id)).toBe('still open');
});

test('behind an edit that is refused nothing is saved, and it is said; starting over keeps the text', async () => {
  const { id, a, b } = await scene();
  const refused = vi.fn();
  b.provider.on('refused', refused);
  const lost = new Promise((resolve) => b.client.on('disconnected', resolve));
  way.cut();
  await lost;
  // While nothing can be sent, so that all of it goes at once.
  b.text.insert(0, 'before ');
  b.doc.getMap('comments').set('one', 'no text');
  b.text.insert(7, 'after ');
  await expect(b.provider.whenSaved()).rejects.toMatchObject({ type: 'invalid_request' });
  await eventually(() => expect(a.text.toString()).toBe('before '));
  const told = refused.mock.calls.length;
  for (const word of ['more ', 'and ', 'more ']) b.text.insert(b.text.length, word);
  await expect(b.provider.whenSaved()).rejects.toMatchObject({ type: 'invalid_request' });
  expect([b.provider.saved, b.provider.refusal?.type]).toEqual([false, 'invalid_request']);
  expect(refused).toHaveBeenCalledTimes(told);
  b.provider.retry();
  await eventually(() => expect(refused).toHaveBeenCalledTimes(told + 1));

  a.text.insert(0, 'Ada writes. ');
  await eventually(() => expect(b.text.toString()).toBe('Ada writes. before after more and more '));
  const doc = new Y.Doc();
  const fresh = await startOver(b.client, b.provider, doc);
  await fresh.whenSaved();
  expect([fresh.saved, fresh.refusal]).toEqual([true, null]);
  await eventually(() => expect(a.text.toString()).toBe('Ada writes. before after more and more '));
  expect(await storedText(app, ada, id)).toBe(a.text.toString());
  b.text.insert(0, 'to nobody ');
  doc.getText('content').insert(0, 'to all ');
  await eventually(() => expect(a.text.toString()).toMatch(/^to all Ada/));
  fresh.destroy();
});

test('starting over drops what was refused if that is wanted, and makes few changes of very many', async () => {
  const { a, b } = await scene();
  a.text.insert(0, Array.from({ length: 2_000 }, (_, at) => `word${at} `).join(''));
  await a.provider.whenSaved();
  await eventually(() => expect(b.text.toString()).toBe(a.text.toString()));
  const written = a.text.toString();
  b.doc.transact(() => {
    b.doc.getMap('comments').set('one', 'no text');
    for (let at = 1_999; at >= 0; at -= 1) {
      const place = written.indexOf(`word${at} `);
      b.text.delete(place, 1);
      b.text.insert(place, '\u{1F600}');
    }
  });
  await expect(b.provider.whenSaved()).rejects.toMatchObject({ type: 'invalid_request' });
  const wanted = b.text.toString();
  const kept = new Y.Doc();
  const sent: Uint8Array[] = [];
  kept.on('update', (update: Uint8Array, _origin: unknown, _doc: Y.Doc, { local }: Y.Transaction) => {
    if (local) sent.push(update);
  });
  const dropped = await startOver(b.client, b.provider, new Y.Doc(), { keep: false });
  await dropped.whenSaved();
  expect(dropped.doc.getText('content').toString()).toBe(written);
  const fresh = await startOver(b.client, b.provider, kept);
  await fresh.whenSaved();
  await eventually(() => expect(a.text.toString()).toBe(wanted));
  expect(sent).toHaveLength(1);
  expect(Y.decodeUpdate(sent[0] as Uint8Array).structs.length).toBeLessThan(1_100);
  for (const provider of [dropped, fresh]) provider.destroy();
});

test('an edit that is too large is refused without being sent, and the connection stays', async () => {
  const { a, b } = await scene();
  const lost = vi.fn();
  b.client.on('disconnected', lost);
  b.text.insert(0, 'small ');
  b.text.insert(6, 'x'.repeat(17 * 1024 * 1024));
  await expect(b.provider.whenSaved()).rejects.toMatchObject({ type: 'payload_too_large' });
  await eventually(() => expect(a.text.toString()).toBe('small '));
  expect(lost).not.toHaveBeenCalled();
});
