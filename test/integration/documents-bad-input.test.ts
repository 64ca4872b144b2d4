import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { unpack } from '../../shared/client/merge-updates.js';
import { makeDocument, openEditor, share, storedText } from '../support/documents.js';
import { connectRaw, type RawSocket } from '../support/sockets.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

let app: TestApp;
let ada: TestUser;
let ben: TestUser;
const sockets: RawSocket[] = [];

beforeAll(async () => {
  app = await startTestApp();
  ada = await app.registerUser({ name: 'Ada' });
  ben = await app.registerUser({ name: 'Ben' });
});
afterEach(() => sockets.splice(0).forEach((socket) => socket.close()));
afterAll(() => app.close());

/** A document of Ada that Ben edits too, and plain sockets of both in it. */
async function scene(level: 'view' | 'edit' = 'edit') {
  const documentId = await makeDocument(app, ada, { title: 'T', content: 'text' });
  await share(app, ada, documentId, ben, level);
  const [a, b] = await Promise.all([ada, ben].map((user) => connectRaw(app.url, user.accessToken)));
  if (!a || !b) throw new Error('no sockets');
  sockets.push(a, b);
  expect((await a.ask('document:join', { documentId, clientId: 1 })).ok).toBe(true);
  expect((await b.ask('document:join', { documentId, clientId: 2 })).ok).toBe(true);
  const send = (socket: RawSocket, update: unknown) => socket.ask('document:update', { documentId, update });
  const rows = async (): Promise<number> => {
    const { rows: found } = await app.ctx.database.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM document_updates WHERE document_id = $1',
      [documentId],
    );
    return found[0]?.count ?? 0;
  };
  return { documentId, a, b, send, rows };
}

/** An update that types `text` under a client id. */
function typed(text: string, clientId: number, change: (doc: Y.Doc) => void = () => {}): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  doc.getText('content').insert(0, text);
  change(doc);
  return Y.encodeStateAsUpdate(doc);
}

const refused = (type: string) => ({ ok: false, error: { type, message: expect.any(String) } });

describe('an update', () => {
  test('that is malformed, truncated, huge or no text is refused, told, not stored and not sent on', async () => {
    const { a, b, send, rows, documentId } = await scene();
    const before = await rows();
    const good = typed('hello', 2);
    const bad: [unknown, string][] = [
      [new Uint8Array(), 'invalid_request'],
      [good.slice(0, -1), 'invalid_request'],
      [Uint8Array.from([...good, 1]), 'invalid_request'],
      [new Uint8Array(100).fill(255), 'invalid_request'],
      [typed('x', 2, (doc) => doc.getMap('other').set('a', 1)), 'invalid_request'],
      ['AAAA', 'invalid_request'],
      [[1, 2, 3], 'invalid_request'],
      [null, 'invalid_request'],
      [new Uint8Array(6 * 1024 * 1024 + 2_000), 'payload_too_large'],
    ];
    for (const [update, type] of bad) expect(await send(b, update)).toEqual(refused(type));
    let state = 11;
    for (let count = 0; count < 300; count += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const noise = Uint8Array.from(
        { length: state % 200 },
        (_, index) => (Math.imul(state + index, 2_654_435_761) >>> 24) & 255,
      );
      const answer = await send(b, noise);
      if (answer.ok) expect(noise.length).toBeLessThan(4);
    }
    expect((await rows()) - before).toBeLessThan(10);
    expect(await send(b, good)).toMatchObject({ ok: true });
    await a.event('document:update', ({ documentId: id }) => id === documentId);
    const editor = await openEditor(app, ada, documentId);
    expect(editor.text.toString()).toContain('hello');
    editor.close();
  });

  test('without the right to edit, or of a stranger, is refused', async () => {
    const { documentId, b, send, rows } = await scene('view');
    const before = await rows();
    expect(await send(b, typed('x', 2))).toEqual(refused('forbidden'));
    const stranger = await app.registerUser();
    const socket = await connectRaw(app.url, stranger.accessToken);
    sockets.push(socket);
    expect(await socket.ask('document:update', { documentId, update: typed('x', 3) })).toEqual(refused('not_found'));
    expect(await socket.ask('document:join', { documentId, clientId: 3 })).toEqual(refused('not_found'));
    expect(await socket.ask('document:resume', { documentId, after: 0 })).toEqual(refused('not_found'));
    expect(await socket.ask('document:join', { documentId, clientId: -1 })).toEqual(refused('invalid_request'));
    expect(await socket.ask('document:join', { documentId, clientId: 1, extra: 1 })).toEqual(
      refused('invalid_request'),
    );
    expect(await rows()).toBe(before);
  });

  test('in the name of somebody else is refused; what that one has already saved may come along', async () => {
    const { documentId, a, b, send, rows } = await scene();
    const ofAda = typed('from Ada', 1);
    expect(await send(a, ofAda)).toMatchObject({ ok: true });
    const before = await rows();
    expect(await send(b, typed('from Ada, says Ben', 1))).toEqual(refused('forbidden'));
    expect(await rows()).toBe(before);
    const all = new Y.Doc();
    all.clientID = 2;
    Y.applyUpdate(all, ofAda);
    all.getText('content').insert(0, 'Ben: ');
    expect(await send(b, Y.encodeStateAsUpdate(all))).toMatchObject({ ok: true });
    expect(await storedText(app, ada, documentId)).toContain('Ben: from Ada');
    expect(await b.ask('document:join', { documentId, clientId: 1 })).toEqual(refused('conflict'));
  });
});

describe('an update that goes on with what is not there', () => {
  test('is refused, and nobody can delete what another is only going to write', async () => {
    const { documentId, a, b, send, rows } = await scene();
    const before = await rows();
    // One client, Ada's, of which everything up to clock 100 is deleted.
    expect(await send(b, Uint8Array.from([0, 1, 1, 1, 0, 100]))).toEqual(refused('conflict'));
    const doc = new Y.Doc();
    doc.clientID = 2;
    doc.getText('content').insert(0, 'first');
    const first = Y.encodeStateAsUpdate(doc);
    const from = Y.encodeStateVector(doc);
    doc.getText('content').insert(5, ' second');
    const second = Y.encodeStateAsUpdate(doc, from);
    expect(await send(b, second)).toEqual(refused('conflict'));
    expect(await rows()).toBe(before);
    expect(await send(a, typed('precious ', 1))).toMatchObject({ ok: true });
    expect(await send(b, first)).toMatchObject({ ok: true });
    expect(await send(b, second)).toMatchObject({ ok: true });
    const text = await storedText(app, ada, documentId);
    expect(text).toContain('precious ');
    expect(text).toContain('first second');
  });

  test('may come with what it needs, or right behind it without an answer', async () => {
    const { b, send, documentId } = await scene();
    const updates: Uint8Array[] = [];
    const doc = new Y.Doc();
    doc.clientID = 3;
    doc.on('update', (update: Uint8Array) => void updates.push(update));
    for (let count = 0; count < 200; count += 1) doc.getText('content').insert(count, String(count % 10));
    const answers = await Promise.all(updates.map((update) => send(b, update)));
    expect(answers.filter(({ ok }) => !ok)).toEqual([]);
    expect(await storedText(app, ada, documentId)).toContain('0123456789'.repeat(20));
  });

  test('finds there what was stored by another process, over HTTP or before a restart', async () => {
    const { documentId, a, b, send } = await scene();
    expect(await send(a, typed('Ada ', 1))).toMatchObject({ ok: true });
    const { database, redis } = app.ctx.config;
    const other = await startTestApp({ databaseUrl: database.url, redisUrl: redis.url });
    try {
      const elsewhere = await connectRaw(other.url, ben.accessToken);
      sockets.push(elsewhere);
      const doc = new Y.Doc();
      const joined = await elsewhere.ask('document:join', { documentId, clientId: 4 });
      doc.clientID = 4;
      for (const update of unpack(joined)) Y.applyUpdate(doc, update);
      const from = Y.encodeStateVector(doc);
      doc.getText('content').delete(0, doc.getText('content').length);
      doc.getText('content').insert(0, 'Ben');
      expect(await send(elsewhere, Y.encodeStateAsUpdate(doc, from))).toMatchObject({ ok: true });
      // What the process of the first socket has not seen go by.
      const behind = Y.encodeStateVector(doc);
      doc.clientID = 2;
      doc.getText('content').delete(0, 1);
      expect(await send(b, Y.encodeStateAsUpdate(doc, behind))).toMatchObject({ ok: true });
      expect(await storedText(app, ada, documentId)).toBe('en');
    } finally {
      await other.close();
    }
  });
});

describe('awareness', () => {
  const state = (clientId: number, value: object): Uint8Array => {
    const doc = new Y.Doc();
    doc.clientID = clientId;
    const awareness = new Awareness(doc);
    awareness.setLocalState(value as Record<string, unknown>);
    const update = encodeAwarenessUpdate(awareness, [clientId]);
    awareness.destroy();
    return update;
  };

  test('is shown for the own client only, within limits, and never stored', async () => {
    const { documentId, a, b } = await scene();
    const show = (update: unknown) => b.ask('document:awareness', { documentId, update });
    expect(await show(state(1, { name: 'Ada' }))).toEqual(refused('forbidden'));
    expect(await show(state(2, { name: 'x'.repeat(20_000) }))).toEqual(refused('invalid_request'));
    expect(await show(new Uint8Array([1, 2]))).toEqual(refused('invalid_request'));
    expect(await show(Uint8Array.from([1, 2, 1, 1, 0x7b]))).toEqual(refused('invalid_request'));
    expect(a.received.filter(({ event }) => event === 'document:awareness')).toEqual([]);
    expect(await show(state(2, { name: 'Ben' }))).toEqual({ ok: true });
    await a.event('document:awareness');
    const stranger = await connectRaw(app.url, ben.accessToken);
    sockets.push(stranger);
    const notJoined = await stranger.ask('document:awareness', { documentId, update: state(2, {}) });
    expect(notJoined).toEqual(refused('not_found'));
  });

  test('is taken so often that a cursor moves smoothly, and not as often as anybody likes', async () => {
    const { documentId, b, send } = await scene();
    const update = state(2, { name: 'Ben' });
    const answers = await Promise.all(
      Array.from({ length: 2_000 }, () => b.ask('document:awareness', { documentId, update })),
    );
    const limited = answers.filter(({ ok }) => !ok);
    expect(answers.length - limited.length).toBeGreaterThanOrEqual(400);
    expect(limited.length).toBeGreaterThan(200);
    expect(limited[0]).toEqual(refused('rate_limited'));
    // Edits are counted apart.
    expect(await send(b, typed('x', 2))).toMatchObject({ ok: true });
  });
});

test('a client that does not read edits is given up, before they fill the memory of the process', async () => {
  const documentId = await makeDocument(app, ada);
  await share(app, ada, documentId, ben, 'view');
  const way = await startTcpProxy(app.url);
  const [a, b] = await Promise.all([connectRaw(app.url, ada.accessToken), connectRaw(way.url, ben.accessToken)]);
  sockets.push(a, b);
  expect((await a.ask('document:join', { documentId, clientId: 1 })).ok).toBe(true);
  expect((await b.ask('document:join', { documentId, clientId: 2 })).ok).toBe(true);
  way.block();
  const updates: Uint8Array[] = [];
  const doc = new Y.Doc();
  doc.clientID = 1;
  doc.on('update', (update: Uint8Array) => void updates.push(update));
  const isGone = (): boolean => a.received.some(({ event }) => event === 'user:left');
  for (let count = 0; count < 400 && !isGone(); count += 1) {
    doc.getText('content').insert(0, 'x'.repeat(250_000));
    expect(await a.ask('document:update', { documentId, update: updates.pop() })).toMatchObject({ ok: true });
  }
  await a.event('user:left', ({ userId }) => userId === ben.user.id);
  await way.close();
});
