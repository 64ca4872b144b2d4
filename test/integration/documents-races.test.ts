import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import * as Y from 'yjs';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';
import { compactDocument, keepVersionNow } from '../../shared/documents/compact.js';
import { lockRewrites } from '../../shared/documents/rewrite-lock.js';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.js';
import { makeDocument, openEditor, share, storedText } from '../support/documents.js';
import { eventually } from '../support/eventually.js';
import { randomFrom } from '../support/rights-model.js';
import { connectRaw, type RawSocket } from '../support/sockets.js';

let app: TestApp;
let way: CuttingProxy;
let ada: TestUser;
let ben: TestUser;
const sockets: RawSocket[] = [];

beforeAll(async () => {
  app = await startTestApp();
  way = await startCuttingProxy([app.url]);
  ada = await app.registerUser({ name: 'Ada' });
  ben = await app.registerUser({ name: 'Ben' });
});
afterEach(() => sockets.splice(0).forEach((socket) => socket.close()));
afterAll(async () => {
  await way.close();
  await app.close();
});

const call = (user: TestUser, method: string, path: string, body?: object, headers: Record<string, string> = {}) =>
  app.request(method, path, { token: user.accessToken, body, headers });

/** A letter by somebody new to the document. */
function letter(): Uint8Array {
  const doc = new Y.Doc();
  doc.getText('content').insert(0, 'x');
  return Y.encodeStateAsUpdate(doc);
}

// On a machine that is busy the 25 rounds take as long as a test may.
const busy = { timeout: 120_000 };

test(
  'a document that is deleted while others join, read and edit it is gone for them, and nothing fails',
  busy,
  async () => {
    const socket = await connectRaw(app.url, ben.accessToken);
    sockets.push(socket);
    const seen = new Set<string>();
    for (let round = 0; round < 25; round += 1) {
      const id = await makeDocument(app, ada, { title: 'T', content: 'some text' });
      await share(app, ada, id, ben);
      const { base } = (await call(ben, 'GET', `/documents/${id}`)).body;
      const path = `/documents/${id}`;
      const over = [
        () => call(ben, 'GET', path),
        () => call(ben, 'PATCH', path, { content: `one ${round}`, base }),
        () => call(ben, 'PATCH', path, { content: `two ${round}` }, { 'if-match': '*' }),
        () => call(ben, 'POST', `${path}/edits`, { instruction: 'Make it better.' }),
      ];
      const byEvent = [
        () => socket.ask('document:join', { documentId: id, clientId: round }),
        () => socket.ask('document:update', { documentId: id, update: letter() }),
      ];
      const early = over.map((each) => each());
      const joined = byEvent.map((each) => each());
      const deleted = call(ada, 'DELETE', path);
      const late = over.map((each) => each());
      for (const { status } of await Promise.all([...early, ...late])) seen.add(`${status}`);
      for (const answer of await Promise.all([...joined, ...byEvent.map((each) => each())])) {
        seen.add(answer.ok ? 'ok' : answer.error.type);
      }
      expect((await deleted).status).toBe(204);
    }
    for (const expected of ['200', '202', '404', 'ok', 'not_found', '412']) seen.delete(expected);
    expect([...seen]).toEqual([]);
  },
);

test('a right that is taken away while the text is being read keeps the text from who asked for it', async () => {
  const id = await makeDocument(app, ada, { title: 'T', content: 'some text' });
  await keepVersionNow(app.ctx.database, id, 'schedule');
  const socket = await connectRaw(app.url, ben.accessToken);
  sockets.push(socket);
  const { database } = app.ctx;
  const query = database.query.bind(database) as (asked: never) => Promise<unknown>;
  let revoke = false;
  const spy = vi.spyOn(database, 'query').mockImplementation((async (
    asked: string | { name?: string },
    ...more: never[]
  ) => {
    const statement = typeof asked === 'string' ? asked : (asked.name ?? '');
    if (revoke && /^read-document-page$|^load-document$|FROM document_(versions|suggestions)/.test(statement)) {
      revoke = false;
      await query({ text: 'DELETE FROM document_access WHERE user_id = $1', values: [ben.user.id] } as never);
    }
    return (query as (...all: unknown[]) => Promise<unknown>)(asked, ...more);
  }) as never);
  const ask = async (event: string, payload: object) => {
    await share(app, ada, id, ben);
    if (event === 'document:resume') await socket.ask('document:join', { documentId: id, clientId: 1 });
    revoke = true;
    return socket.ask(event, { documentId: id, ...payload });
  };
  const refused = { ok: false, error: { type: 'not_found' } };
  expect(await ask('document:join', { clientId: 1 })).toMatchObject(refused);
  expect(await ask('document:resume', { after: 0 })).toMatchObject(refused);
  const paths = ['', '/export', '/versions', '/versions/1', '/versions/1/diff', '/suggestions'];
  for (const path of paths) {
    await share(app, ada, id, ben);
    const read = () => call(ben, 'GET', `/documents/${id}${path}`);
    expect([path, (await read()).status]).toEqual([path, 200]);
    revoke = true;
    expect([path, (await read()).status, revoke]).toEqual([path, 404, false]);
  }
  spy.mockRestore();
});

test('what is typed while a version is being restored is kept as well', async () => {
  const id = await makeDocument(app, ada, { title: 'T', content: 'first\n' });
  await keepVersionNow(app.ctx.database, id, 'schedule');
  const editor = await openEditor(app, ada, id);
  const type = async (words: string) => {
    editor.text.insert(0, words);
    await editor.provider.whenSaved();
  };
  await type('more ');
  const versions = async () => (await call(ada, 'GET', `/documents/${id}/versions`)).body.items as { n: number }[];
  let restored: Promise<{ status: number }> | undefined;
  await app.ctx.database.transaction(async (tx) => {
    await lockRewrites(tx, id);
    restored = call(ada, 'POST', `/documents/${id}/versions/1/restore`);
    await eventually(async () => expect(await versions()).toHaveLength(2));
    await type('late ');
  });
  expect((await restored)?.status).toBe(200);
  await eventually(() => expect(editor.text.toString()).toBe('first\n'));
  editor.close();
  expect(await versions()).toMatchObject([
    { n: 3, reason: 'before-restore', authorIds: [ada.user.id], bytes: 16 },
    { n: 2, reason: 'before-restore' },
    { n: 1 },
  ]);
});

test('of two renames at once the title that stays is told last', async () => {
  const id = await makeDocument(app, ada);
  const rename = (title: string) => call(ada, 'PATCH', `/documents/${id}`, { title });
  const { publisher } = app.ctx;
  const emit = publisher.emit.bind(publisher);
  const told: unknown[] = [];
  const second: Promise<unknown>[] = [];
  const ended = vi.fn();
  const spy = vi.spyOn(publisher, 'emit').mockImplementation(async (room, event, payload) => {
    if (second.length === 0) {
      second.push(rename('second').then(ended));
      // Nothing is held while the first one is being told.
      await eventually(() => expect(ended).toHaveBeenCalled());
    }
    told.push((payload as { title?: string }).title);
    return emit(room, event, payload);
  });
  expect((await rename('first')).status).toBe(200);
  await Promise.all(second);
  spy.mockRestore();
  expect(told).toEqual(['second', 'first', 'second']);
});

test.each([Number(process.env.MILLRACE_TEST_SEED ?? 3)])(
  'whatever people do at once, over sockets that break and over HTTP, is there once and the same for all (seed %i)',
  busy,
  async (seed) => {
    const random = randomFrom(seed);
    const id = await makeDocument(app, ada, { title: 'T', content: 'The beginning. ' });
    await share(app, ada, id, ben);
    // Ben has two tabs.
    const editors = await Promise.all([openEditor(app, ada, id), openEditor(way, ben, id), openEditor(way, ben, id)]);
    const undo = new Y.UndoManager(editors[0]?.text as Y.Text, { captureTimeout: 0 });
    const wanted = new Set<string>();
    const undone = new Set<string>();
    /** Each is a word to whoever puts another one beside it, with what is odd in texts. */
    const mark = (): string => {
      const next = `<${wanted.size + undone.size}\u{1F600}\n\u0000e\u0301\u2028>`;
      wanted.add(next);
      return next;
    };
    const ends = (text: string): number[] => [...text.matchAll(/[. >](?=[<T]|$)/g)].map(({ index }) => index + 1);
    const placeIn = (text: string): number => ends(text)[random(ends(text).length)] ?? 0;
    const byHttp: Promise<unknown>[] = [];

    for (let step = 0; step < 120; step += 1) {
      const which = random(10);
      const editor = editors[random(editors.length)];
      if (!editor) continue;
      if (which < 6) editor.text.insert(placeIn(editor.text.toString()), mark());
      else if (which === 6) {
        const { body } = await call(ada, 'GET', `/documents/${id}`);
        const at = placeIn(body.content);
        const content = body.content.slice(0, at) + mark() + body.content.slice(at);
        // Twice, as by somebody who has got no answer.
        for (const user of [ada, ada]) {
          byHttp.push(call(user, 'PATCH', `/documents/${id}`, { content, base: body.base }));
        }
      } else if (which === 7) byHttp.push(compactDocument(app.ctx.database, id));
      else if (which === 8) way.cut();
      else {
        const own = mark();
        editors[0]?.text.insert(placeIn(editors[0].text.toString()), own);
        undo.undo();
        wanted.delete(own);
        undone.add(own);
      }
    }
    await Promise.all([...byHttp, ...editors.map(({ provider }) => provider.whenSaved())]);
    await compactDocument(app.ctx.database, id);
    const stored = await storedText(app, ada, id);
    const times = (word: string): number => stored.split(word).length - 1;
    expect([...wanted].filter((word) => times(word) !== 1)).toEqual([]);
    expect([...undone].filter((word) => times(word) !== 0)).toEqual([]);
    const late = await openEditor(app, ben, id);
    await eventually(() =>
      expect([...editors, late].map(({ text }) => text.toString())).toEqual(Array(4).fill(stored)),
    );
    for (const each of [...editors, late]) each.close();
  },
);
