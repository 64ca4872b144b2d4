import { afterAll, afterEach, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { createClient, createDocumentProvider } from '../../shared/client/index.js';
import { startDocumentStage } from '../support/document-scene.js';
import { eventually } from '../support/eventually.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { type Editor, makeDocument, openEditor, share, storedText } from '../support/documents.js';

const stage = await startDocumentStage();
const { app, way, ada, ben, editors, scene } = stage;
afterEach(() => editors.splice(0).forEach((editor) => editor.close()));
afterAll(() => stage.close());

const cursorOf = (other: { doc: Y.Doc }, at: Pick<Editor, 'provider'>): unknown =>
  at.provider.awareness.getStates().get(other.doc.clientID)?.cursor;

/** Far less than the quarter of a minute after which y-protocols shows every cursor anew. */
const soon = { timeout: 8_000 };

test('an editor that has opened the document by an id in capitals sees what others type', async () => {
  const { id, a } = await scene();
  const capitals = await openEditor(app, ben, id.toUpperCase());
  editors.push(capitals);
  a.doc.getText('content').insert(0, 'typed');
  await eventually(() => expect(capitals.doc.getText('content').toString()).toBe('typed'));
});

test('after a reconnect everybody sees the cursors again, though nobody has moved', async () => {
  const { a, b } = await scene();
  a.provider.awareness.setLocalStateField('cursor', 1);
  b.provider.awareness.setLocalStateField('cursor', 2);
  await eventually(() => expect([cursorOf(a, b), cursorOf(b, a)]).toEqual([1, 2]));
  for (let round = 0; round < 3; round += 1) {
    const lost = new Promise((resolve) => b.client.on('disconnected', resolve));
    way.cut();
    await lost;
    await eventually(() => expect([cursorOf(a, b), cursorOf(b, a)]).toEqual([undefined, undefined]), soon);
    await eventually(() => expect([cursorOf(a, b), cursorOf(b, a)]).toEqual([1, 2]), soon);
  }
});

test('who is there is told by events alone, also who came and went while the connection was away', async () => {
  const id = await makeDocument(app, ada);
  await share(app, ada, id, ben);
  const line = await startTcpProxy(app.url);
  const a = await openEditor(app, ada, id);
  const client = createClient({ url: line.url, token: ben.accessToken });
  const doc = new Y.Doc();
  const provider = createDocumentProvider(client, id, doc);
  editors.push({ client, provider, doc, text: doc.getText('content'), close: () => client.close() });
  const told: string[] = [];
  provider.on('joined', ({ name }) => told.push(`${name} joined`));
  provider.on('left', ({ name }) => told.push(`${name} left`));
  await eventually(() => expect(told.toSorted()).toEqual(['Ada joined', 'Ben joined']));
  const lost = new Promise((resolve) => client.on('disconnected', resolve));
  line.cut();
  await lost;
  a.close();
  const other = await openEditor(app, ben, id);
  editors.push(other);
  await eventually(() => expect([...other.provider.present.keys()]).toEqual([ben.user.id]));
  await line.restore();
  await eventually(() => expect(told).toHaveLength(3));
  expect(told[2]).toBe('Ada left');
  await line.close();
});

test('a connection that is given up late does not hide who has come back by another', async () => {
  const { id, a, b } = await scene();
  b.provider.awareness.setLocalStateField('cursor', 2);
  await eventually(() => expect(cursorOf(b, a)).toBe(2));
  // The same Y.Doc by a second connection, as after a loss that the server has not noticed yet.
  const again = await openEditor(app, ben, id, b.doc);
  editors.push(again);
  again.provider.awareness.setLocalStateField('cursor', 3);
  again.provider.awareness.setLocalStateField('cursor', 4);
  await eventually(() => expect(cursorOf(again, a)).toBe(4));
  const left = vi.fn();
  b.client.on('disconnected', left);
  b.client.close();
  a.text.insert(0, 'x');
  await a.provider.whenSaved();
  await eventually(() => expect(left).toHaveBeenCalled());
  // What the server says of the connection comes before what this asks for afterwards.
  await openEditor(app, ben, id).then((other) => editors.push(other));
  expect(cursorOf(again, a)).toBe(4);
});

test('two providers of one document on one client see each other, and one outlives the other', async () => {
  const { id, a, b } = await scene();
  const doc = new Y.Doc();
  const second = createDocumentProvider(a.client, id, doc);
  await second.whenSynced();
  const text = doc.getText('content');
  a.text.insert(0, 'one ');
  await eventually(() => expect(text.toString()).toBe('one '));
  text.insert(4, 'two ');
  a.provider.awareness.setLocalStateField('cursor', 1);
  await eventually(() => expect(a.text.toString()).toBe('one two '));
  await eventually(() => expect(cursorOf(a, { provider: second })).toBe(1));
  second.awareness.setLocalStateField('cursor', 2);
  await eventually(() => expect([cursorOf({ doc }, a), cursorOf({ doc }, b)]).toEqual([2, 2]));
  second.destroy();
  await eventually(() => expect([cursorOf({ doc }, a), cursorOf({ doc }, b)]).toEqual([undefined, undefined]));
  b.text.insert(8, 'three');
  await eventually(() => expect(a.text.toString()).toBe('one two three'));
  a.provider.destroy();
  await eventually(() => expect([...b.provider.present.values()].map(({ name }) => name)).toEqual(['Ben']));
});

test('who types is given what others wrote also while events do not come through, as when Redis is away', async () => {
  const { id, a, b } = await scene();
  const spy = vi.spyOn(app.ctx.publisher, 'emit').mockResolvedValue();
  const asked = vi.spyOn(b.client.connection, 'request');
  a.text.insert(0, 'one ');
  await a.provider.whenSaved();
  b.text.insert(0, 'two ');
  await eventually(() => expect(b.text.toString()).toMatch(/one /));
  // Joining again would say that nobody else is here: without Redis the server does not know.
  expect(asked.mock.calls.map(([event]) => event)).not.toContain('document:join');
  spy.mockRestore();
  // Titles and suggestions have to be read anew then.
  const told = vi.fn();
  b.provider.on('event', told);
  await app.ctx.publisher.emit(`document:${id}`, 'room:resync', { room: `document:${id}` });
  await eventually(() => expect(told.mock.calls).toMatchObject([[{ name: 'room:resync' }]]));
});

test('what was typed right before the document was closed is saved, also after the connection was lost', async () => {
  const { id, a, b } = await scene();
  const other = createDocumentProvider(b.client, id, new Y.Doc());
  await other.whenSynced();
  b.text.insert(0, 'one ');
  await Promise.resolve();
  b.text.insert(4, 'two ');
  b.provider.destroy();
  for (const { text } of [a, { text: other.doc.getText('content') }]) {
    await eventually(() => expect(text.toString()).toBe('one two '));
  }
  const lost = new Promise((resolve) => b.client.on('disconnected', resolve));
  way.cut();
  await lost;
  other.doc.getText('content').insert(8, 'three');
  other.destroy();
  await eventually(async () => expect(await storedText(app, ada, id)).toBe('one two three'));
});

test('what was typed right before the client was closed is saved, also behind what is under way', async () => {
  const { id, a, b } = await scene();
  b.text.insert(0, 'one ');
  b.provider.destroy();
  b.client.close();
  await eventually(() => expect(a.text.toString()).toBe('one '));
  const again = await openEditor(way, ben, id);
  again.text.insert(4, 'two ');
  // On its way, and not acknowledged.
  await new Promise(setImmediate);
  again.text.insert(8, 'three ');
  again.text.insert(14, 'x'.repeat(700_000));
  again.text.insert(14, 'four ');
  again.client.close();
  await expect(again.provider.whenSaved()).rejects.toMatchObject({ type: 'closed' });
  await eventually(() => expect(a.text.toString()).toBe(`one two three four ${'x'.repeat(700_000)}`));
});
