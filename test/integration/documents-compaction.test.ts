// Long: one log, and all that must be kept of it while it is merged.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as Y from 'yjs';
import { appendUpdates } from '../../shared/documents/append.js';
import { scheduleCompaction, scheduleQuietCompactions } from '../../shared/documents/schedule-compaction.js';
import { compactDocument } from '../../shared/documents/compact.js';
import { maxLogBytes } from '../../shared/documents/limits.js';
import { unpack } from '../../shared/client/merge-updates.js';
import { readLogPage } from '../../shared/documents/log.js';
import { eventually } from '../support/eventually.js';
import { makeDocument, openEditor, share, storedText } from '../support/documents.js';
import { startTestSystem, type TestSystem } from '../support/system.js';
import type { TestUser } from '../support/app.js';

let system: TestSystem;
let ada: TestUser;

beforeAll(async () => {
  system = await startTestSystem();
  ada = await system.app.registerUser({ name: 'Ada' });
});
afterAll(() => system.close());

const database = () => system.app.ctx.database;

async function rowCount(documentId: string): Promise<number> {
  const { rows } = await database().query<{ count: number }>(
    'SELECT count(*)::int AS count FROM document_updates WHERE document_id = $1',
    [documentId],
  );
  return rows[0]?.count ?? 0;
}

/** Types into a document without a client: one stored update a word. */
async function type(documentId: string, doc: Y.Doc, words: number): Promise<void> {
  const { documents } = system.app.ctx;
  const stored: Promise<unknown>[] = [];
  const store = (update: Uint8Array): void => {
    stored.push(documents.append({ documentId, userId: ada.user.id, update }));
  };
  doc.on('update', store);
  const text = doc.getText('content');
  for (let count = 0; count < words; count += 1) {
    text.insert(text.length === 0 ? 0 : (count * 7_919) % text.length, `w${count} `);
    if (count % 3 === 2) text.delete(0, 2);
  }
  doc.off('update', store);
  await Promise.all(stored);
}

/** The text of somebody who has everything up to `after` of `doc`, and reads on. */
async function readFrom(documentId: string, known: Uint8Array, after: number): Promise<string> {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, known);
  for (let seq = after, more = true; more;) {
    const page = await readLogPage(database(), documentId, seq);
    for (const update of unpack(page)) Y.applyUpdate(doc, update);
    ({ seq, more } = page);
  }
  return doc.getText('content').toString();
}

describe('compaction', () => {
  test('makes room in a document that takes nothing more, once something was deleted', async () => {
    const id = await makeDocument(system.app, ada, { content: 'x'.repeat(300_000) });
    const editor = await openEditor(system.app, ada, id);
    await database().query('UPDATE document_heads SET log_bytes = $2 WHERE document_id = $1', [id, maxLogBytes]);
    editor.text.insert(0, 'y'.repeat(100_000));
    await expect(editor.provider.whenSaved()).rejects.toMatchObject({ type: 'payload_too_large' });
    editor.close();
    const tidy = await openEditor(system.app, ada, id);
    tidy.text.delete(10, 299_990);
    await tidy.provider.whenSaved();
    tidy.text.insert(0, 'y'.repeat(100_000));
    await expect(tidy.provider.whenSaved()).rejects.toMatchObject({ type: 'payload_too_large' });
    await eventually(async () => {
      tidy.provider.retry();
      await tidy.provider.whenSaved();
    });
    expect(await storedText(system.app, ada, id)).toBe('y'.repeat(100_000) + 'x'.repeat(10));
    tidy.close();
  });

  test('is asked for by the updates themselves, and leaves one row that says the same', async () => {
    const id = await makeDocument(system.app, ada);
    const doc = new Y.Doc();
    await type(id, doc, 900);
    const expected = doc.getText('content').toString();
    await eventually(async () => expect(await rowCount(id)).toBeLessThan(700), { timeout: 15_000 });
    await compactDocument(database(), id);
    expect(await rowCount(id)).toBe(1);
    expect(await storedText(system.app, ada, id)).toBe(expected);
  });

  test('leaves no gap for a reader who stopped anywhere', async () => {
    const id = await makeDocument(system.app, ada);
    const doc = new Y.Doc();
    const states: { seq: number; state: Uint8Array }[] = [];
    for (let round = 0; round < 60; round += 1) {
      await type(id, doc, 3);
      const { rows } = await database().query<{ seq: number }>(
        'SELECT last_seq::float8 AS seq FROM document_heads WHERE document_id = $1',
        [id],
      );
      states.push({ seq: rows[0]?.seq ?? 0, state: Y.encodeStateAsUpdate(doc) });
      if (round === 35) await compactDocument(database(), id);
    }
    const expected = doc.getText('content').toString();
    for (const { seq, state } of states) expect(await readFrom(id, state, seq)).toBe(expected);
    expect(await readFrom(id, Y.encodeStateAsUpdate(new Y.Doc()), 0)).toBe(expected);
  });

  test('all the time, two at once, under typing loses nothing and doubles nothing', async () => {
    const id = await makeDocument(system.app, ada);
    const editors = await Promise.all([1, 2, 3].map(() => openEditor(system.app, ada, id)));
    let typing = true;
    const done = [0, 0];
    const compactions = done.map(async (_, which) => {
      while (typing) if (await compactDocument(database(), id)) done[which] = (done[which] ?? 0) + 1;
    });
    const typed: string[] = [];
    // For as long as it takes for both to have compacted something: one may be faster than the other for a while.
    for (let count = 0; count < 200 || done.includes(0); count += 1) {
      for (const [index, { text }] of editors.entries()) {
        const mark = `<${index}.${count}>`;
        text.insert(text.length, mark);
        typed.push(mark);
      }
      if (count % 5 === 0) await editors[0]?.provider.whenSaved();
    }
    await Promise.all(editors.map(({ provider }) => provider.whenSaved()));
    typing = false;
    await Promise.all(compactions);
    const stored = await storedText(system.app, ada, id);
    expect(typed.filter((mark) => stored.split(mark).length !== 2)).toEqual([]);
    await eventually(() => expect(editors.map(({ text }) => text.toString())).toEqual(editors.map(() => stored)));
    const late = await openEditor(system.app, ada, id);
    expect(late.text.toString()).toBe(stored);
    for (const editor of [...editors, late]) editor.close();
  });

  test('and what asks for it never wait in a circle with writers', async () => {
    const id = await makeDocument(system.app, ada);
    const where = { documentId: id, userId: ada.user.id };
    let writing = true;
    const write = async (): Promise<void> => {
      for (let count = 0; count < 300; count += 1) {
        await appendUpdates(database(), [{ ...where, update: new Uint8Array([0, 0]) }]);
      }
    };
    const compacting = (async () => {
      while (writing) {
        await scheduleCompaction(database(), where);
        await compactDocument(database(), id);
      }
    })();
    await Promise.all([1, 2, 3, 4].map(write));
    writing = false;
    await compacting;
    const { rows } = await database().query('SELECT last_seq::int AS seq FROM document_heads WHERE document_id = $1', [
      id,
    ]);
    expect(rows).toEqual([{ seq: 1_200 }]);
  });

  test('of a document that is deleted meanwhile harms nobody', async () => {
    for (let round = 0; round < 5; round += 1) {
      const id = await makeDocument(system.app, ada);
      await type(id, new Y.Doc(), 30);
      const compaction = compactDocument(database(), id);
      const deletion = system.app.request('DELETE', `/documents/${id}`, { token: ada.accessToken });
      await compaction;
      expect((await deletion).status).toBe(204);
      expect(await rowCount(id)).toBe(0);
    }
  });
});

test('a document that nobody edits any more gets its last version from the upkeep', async () => {
  const id = await makeDocument(system.app, ada, { title: 'T', content: 'the end' });
  expect(await scheduleQuietCompactions(database())).toEqual([]);
  for (const [table, column] of [
    ['document_heads', 'edited_at'],
    ['document_updates', 'created_at'],
  ]) {
    await database().query(`UPDATE ${table} SET ${column} = now() - interval '1 hour' WHERE document_id = $1`, [id]);
  }
  const ready = await scheduleQuietCompactions(database());
  expect(ready).toHaveLength(1);
  expect(await scheduleQuietCompactions(database())).toEqual([]);
  for (const each of ready) system.app.ctx.dispatcher.kick(each);
  await eventually(
    async () => {
      const { body } = await system.app.request('GET', `/documents/${id}/versions`, { token: ada.accessToken });
      expect(body.items).toMatchObject([{ n: 1, authorIds: [ada.user.id], bytes: 7 }]);
    },
    { timeout: 10_000 },
  );
});

describe('versions', () => {
  const call = (method: string, path: string, body?: object) =>
    system.app.request(method, path, { token: ada.accessToken, body });

  test('are cut at pauses, listed, read, compared and restored', async () => {
    const id = await makeDocument(system.app, ada, { title: 'T', content: 'first text\n' });
    const editor = await openEditor(system.app, ada, id);
    const age = (minutes: number) =>
      database().query(
        `UPDATE document_updates SET created_at = created_at - make_interval(mins => $2) WHERE document_id = $1`,
        [id, minutes],
      );
    await age(60);
    editor.text.insert(0, 'second ');
    await editor.provider.whenSaved();
    await age(30);
    editor.text.insert(0, 'third ');
    await editor.provider.whenSaved();
    await compactDocument(database(), id);
    const { body } = await call('GET', `/documents/${id}/versions`);
    expect(body.items.map(({ n }: { n: number }) => n)).toEqual([2, 1]);
    expect(body.items[0]).toMatchObject({ authorIds: [ada.user.id], reason: 'schedule' });
    expect((await call('GET', `/documents/${id}/versions/1`)).body.content).toBe('first text\n');
    expect((await call('GET', `/documents/${id}/versions/2`)).body.content).toBe('second first text\n');
    const diff = await call('GET', `/documents/${id}/versions/1/diff?to=2`);
    expect(diff.body.changes).toEqual([{ at: 0, removed: '', inserted: 'second ' }]);
    // Edits that are in no version yet go into the next one, though their rows are merged.
    await age(30);
    await compactDocument(database(), id);
    expect((await call('GET', `/documents/${id}/versions/3`)).body.content).toBe('third second first text\n');
    expect(await compactDocument(database(), id)).toBeNull();

    const restored = await call('POST', `/documents/${id}/versions/1/restore`);
    expect([restored.status, restored.body.content]).toEqual([200, 'first text\n']);
    await eventually(() => expect(editor.text.toString()).toBe('first text\n'));
    editor.close();
    expect((await call('GET', `/documents/${id}/versions/9`)).status).toBe(404);
  });

  test('are kept every ten minutes while editing goes on, however often the log is compacted', async () => {
    const id = await makeDocument(system.app, ada);
    const doc = new Y.Doc();
    const minute = 60_000;
    const begin = Date.now() - 60 * minute;
    for (let at = begin; at < begin + 45 * minute; at += minute) {
      await type(id, doc, 1);
      await database().query(
        'UPDATE document_updates SET created_at = $2 WHERE document_id = $1 AND seq = (SELECT max(seq) FROM document_updates WHERE document_id = $1)',
        [id, new Date(at)],
      );
      if ((at - begin) % (3 * minute) === 0) await compactDocument(database(), id, { now: at });
    }
    const { body } = await call('GET', `/documents/${id}/versions`);
    const minutes = body.items.map(({ editedAt }: { editedAt: string }) => (Date.parse(editedAt) - begin) / minute);
    expect(minutes).toEqual([39, 29, 19, 9]);
  });

  test('of the text before a restore say who wrote it, in the order of time, and stay longer', async () => {
    const ben = await system.app.registerUser({ name: 'Ben' });
    const id = await makeDocument(system.app, ada, { title: 'T', content: 'one\n' });
    await share(system.app, ada, id, ben);
    const age = (minutes: number) =>
      database().query(
        `UPDATE document_updates SET created_at = created_at - make_interval(mins => $2) WHERE document_id = $1`,
        [id, minutes],
      );
    await age(60);
    const editor = await openEditor(system.app, ada, id);
    editor.text.insert(0, 'ada ');
    await editor.provider.whenSaved();
    await age(30);
    editor.text.insert(0, 'again ');
    await editor.provider.whenSaved();
    editor.close();
    const restore = (n: number) =>
      system.app.request('POST', `/documents/${id}/versions/${n}/restore`, { token: ben.accessToken });
    expect((await restore(1)).status).toBe(404);
    const versions = async () => (await call('GET', `/documents/${id}/versions`)).body.items;
    await compactDocument(database(), id);
    await restore(1);
    expect(await versions()).toMatchObject([
      { n: 3, reason: 'before-restore', authorIds: [ada.user.id], bytes: 14 },
      { n: 2, reason: 'schedule', authorIds: [ada.user.id], bytes: 8 },
      { n: 1, reason: 'schedule', authorIds: [ada.user.id], bytes: 4 },
    ]);
    // What was restored is Ben's edit. It is in a version when he restores again, and is not kept twice.
    await age(20);
    await compactDocument(database(), id);
    expect((await restore(2)).body.content).toBe('ada one\n');
    expect((await versions())[0]).toMatchObject({ n: 4, reason: 'before-restore', authorIds: [ben.user.id], bytes: 4 });
  });

  test('that several restore at once are there once, and what is typed meanwhile stays', async () => {
    const first = 'the first text\nwith two lines\n';
    for (let round = 0; round < 5; round += 1) {
      const id = await makeDocument(system.app, ada, { title: 'T', content: first });
      await database().query(
        `UPDATE document_updates SET created_at = created_at - interval '1 hour' WHERE document_id = $1`,
        [id],
      );
      await compactDocument(database(), id);
      const { body } = await call('GET', `/documents/${id}`);
      await call('PATCH', `/documents/${id}`, { content: 'Something else.\n', base: body.base });
      const editor = await openEditor(system.app, ada, id);
      const restored = Promise.all([1, 2, 3, 4].map(() => call('POST', `/documents/${id}/versions/1/restore`)));
      editor.text.insert(editor.text.length, 'typed');
      expect((await restored).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      await editor.provider.whenSaved();
      const stored = await storedText(system.app, ada, id);
      // Typed before a restore it is taken back with the rest, after it it stays.
      expect([first, `${first}typed`]).toContain(stored);
      await eventually(() => expect(editor.text.toString()).toBe(stored));
      editor.close();
    }
  });
});
