import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import type { KnowledgeHit } from '../../shared/knowledge/hit.js';
import { eventually } from '../support/eventually.js';
import type { TestUser } from '../support/app.js';
import { makeDocument, openEditor, share } from '../support/documents.js';
import { type KnowledgeSystem, startKnowledgeSystem } from '../support/knowledge.js';

let system: KnowledgeSystem;
let ada: TestUser;
let ben: TestUser;
let admin: TestUser;
let guest: TestUser;

beforeAll(async () => {
  system = await startKnowledgeSystem();
  [ada, ben, admin, guest] = await Promise.all([
    system.app.registerUser(),
    system.app.registerUser(),
    system.app.registerUser({ role: 'admin' }),
    system.app.registerUser({ role: 'guest' }),
  ]);
});
afterAll(() => system.close());

const write = (owner: TestUser, content: string, title = 'Notes'): Promise<string> =>
  makeDocument(system.app, owner, { title, content });

/** Waits until a search finds so many passages. */
const found = (reader: TestUser, q: string, count = 1, timeout = 8_000): Promise<KnowledgeHit[]> =>
  eventually(
    async () => {
      const hits = await system.search(reader, q);
      expect(hits).toHaveLength(count);
      return hits;
    },
    { timeout },
  );

const call = (user: TestUser, method: string, path: string, body?: object) =>
  system.app.request(method, path, { token: user.accessToken, ...(body ? { body } : {}) });

const count = async (statement: string, values: unknown[] = []): Promise<number> =>
  Number((await system.app.ctx.database.query(`SELECT count(*) AS n FROM ${statement}`, values)).rows[0]?.n);

const indexJobs = (documentId: string): Promise<number> =>
  count(`jobs WHERE subject_id = $1 AND kind = 'index-document'`, [documentId]);

const pointsOf = (documentId: string): Promise<number> =>
  system.app.ctx.vectors.count({ must: [{ key: 'entryId', match: { value: documentId } }] });

/** Long enough to be passages of their own. */
const section = (title: string, word: string): string =>
  `## ${title}\n\n${`${word} is said here again. `.repeat(60)}\n\n`;

describe('a document', () => {
  it('is found although somebody tries to cancel what brings it into the index', async () => {
    const id = await write(ada, 'The quetzalharbour is open.');
    const { rows } = await system.app.ctx.database.query<{ id: string }>(
      `SELECT id FROM jobs WHERE subject_id = $1 AND kind = 'index-document' AND state IN ('pending', 'queued', 'running')`,
      [id],
    );
    expect(rows).toHaveLength(1);
    const { status, body } = await call(ada, 'POST', `/jobs/${rows[0]?.id}/cancel`);
    expect([status, body.code]).toEqual([409, 'conflict']);
    await found(ada, 'quetzalharbour');
  });

  it('is found by its owner a moment after an edit, with heading and place, and by no stranger', async () => {
    const content = `# Plans\r\n\r\n\r\n\r\nThe narwhalbridge  \r\nopens in May.\n`;
    const id = await write(ada, content, 'Bridges');
    const [hit] = await found(ada, 'narwhalbridge');
    expect(hit).toMatchObject({ kind: 'document', documentId: id, title: 'Bridges', entryId: null, version: null });
    expect(hit?.headingPath).toEqual(['Plans']);
    expect(hit?.text).toContain('The narwhalbridge');
    const stored = content.replaceAll('\r\n', '\n');
    expect(stored.slice(hit?.charStart, hit?.charEnd)).toBe(hit?.text);
    expect(await system.search(ben, 'narwhalbridge')).toEqual([]);
    // The role table gives admins the entries of everybody, and no documents.
    expect(await system.search(admin, 'narwhalbridge')).toEqual([]);
    expect((await call(guest, 'GET', '/knowledge/search?q=narwhalbridge')).status).toBe(403);
    expect(await system.search(ada, 'narwhalbridge', { source: 'entries' })).toEqual([]);
    expect(await system.search(ada, 'narwhalbridge', { source: 'documents' })).toHaveLength(1);
    expect(await system.search(ada, 'narwhalbridge', { tags: 'x' })).toEqual([]);
    expect((await call(ada, 'GET', '/knowledge/search?q=x&source=files')).status).toBe(400);
  });

  it('is found by what somebody has just typed, and not by what was deleted', async () => {
    const id = await write(ada, 'The mantaword stands here.');
    await found(ada, 'mantaword');
    const editor = await openEditor(system.app, ada, id);
    editor.doc.transact(() => {
      editor.text.delete(4, 'mantaword'.length);
      editor.text.insert(4, 'stingrayword');
    });
    await editor.provider.whenSaved();
    const savedAt = performance.now();
    const [hit] = await found(ada, 'stingrayword');
    expect(performance.now() - savedAt).toBeLessThan(8_000);
    expect(hit?.text).toBe('The stingrayword stands here.');
    editor.close();
    expect(await system.search(ada, 'mantaword')).toEqual([]);
    await system.idle();
    expect(await pointsOf(id)).toBe(1);
    expect(await count('document_chunks WHERE document_id = $1', [id])).toBe(1);
  });

  it('is found by those it is shared with within a second, and not from the moment on at which that ends', async () => {
    const id = await write(ada, 'The belugapact is secret.');
    await found(ada, 'belugapact');
    for (const level of ['view', 'edit'] as const) {
      await share(system.app, ada, id, ben, level);
      // Milliseconds, or the second of a sweep; the rest is for a machine that is busy.
      await found(ben, 'belugapact', 1, 3_000);
      expect((await call(ada, 'DELETE', `/documents/${id}/access/${ben.user.id}`)).status).toBe(204);
      expect(await system.search(ben, 'belugapact')).toEqual([]);
    }
    expect(await system.search(ada, 'belugapact')).toHaveLength(1);
  });

  it('is not shown to who lost access, whatever the vector store still says', async () => {
    const id = await write(ada, 'The dolphinpact is secret.');
    await share(system.app, ada, id, ben, 'view');
    await found(ben, 'dolphinpact');
    await system.idle();
    // As if the job that tells the vector store were far behind.
    await system.app.ctx.database.query('DELETE FROM document_access WHERE document_id = $1 AND user_id = $2', [
      id,
      ben.user.id,
    ]);
    expect(await system.search(ben, 'dolphinpact')).toEqual([]);
  });

  it('leaves neither passage nor vector nor point behind when it is deleted', async () => {
    await system.idle();
    const before = { points: await system.app.ctx.vectors.count(), embeddings: await count('embeddings') };
    const id = await write(ada, section('One', 'walrusone') + section('Two', 'walrustwo'));
    await found(ada, 'walrusone', 2);
    expect((await call(ada, 'DELETE', `/documents/${id}`)).status).toBe(204);
    expect(await system.search(ada, 'walrusone')).toEqual([]);
    await system.idle();
    const after = { points: await system.app.ctx.vectors.count(), embeddings: await count('embeddings') };
    expect(after).toEqual(before);
    expect(await count('document_chunks WHERE document_id = $1', [id])).toBe(0);
    expect(await count('indexed_documents WHERE document_id = $1', [id])).toBe(0);
  });

  it('keeps the passages that an edit did not touch, and the vectors of all of them', async () => {
    const id = await write(ada, section('One', 'orcaone') + section('Two', 'orcatwo'));
    await found(ada, 'orcaone', 2);
    await system.idle();
    const rows = async () =>
      (
        await system.app.ctx.database.query<{ id: string; index: number; text: string; indexedAt: Date }>(
          'SELECT id, index, text, indexed_at AS "indexedAt" FROM document_chunks WHERE document_id = $1 ORDER BY index',
          [id],
        )
      ).rows;
    const before = await rows();
    expect(before.length).toBeGreaterThan(2);
    const editor = await openEditor(system.app, ada, id);
    editor.text.insert(0, section('Zero', 'orcazero'));
    await editor.provider.whenSaved();
    editor.close();
    await found(ada, 'orcazero', 2);
    await system.idle();
    const after = await rows();
    const moved = after.filter((row) => before.some((old) => old.id === row.id));
    expect(moved).toHaveLength(before.length);
    // Their points were not written again.
    for (const row of moved) {
      expect(row.indexedAt).toEqual(before.find((old) => old.id === row.id)?.indexedAt);
      expect(row.index).toBeGreaterThan(before.find((old) => old.id === row.id)?.index ?? 0);
    }
    const { body } = await call(ada, 'GET', `/documents/${id}`);
    for (const hit of await system.search(ada, 'orcatwo')) {
      expect(body.content.slice(hit.charStart, hit.charEnd)).toBe(hit.text);
    }
  });

  it('costs few jobs however much is typed, and the last word is found', async () => {
    const id = await write(ada, '');
    const editor = await openEditor(system.app, ada, id);
    for (let n = 0; n < 400; n += 1) {
      editor.text.insert(editor.text.length, ` sealword${n}`);
      if (n % 20 === 0) await editor.provider.whenSaved();
    }
    await editor.provider.whenSaved();
    editor.close();
    await found(ada, 'sealword399');
    await system.idle();
    expect(await count('document_updates WHERE document_id = $1', [id])).toBeGreaterThan(0);
    expect(await indexJobs(id)).toBeLessThanOrEqual(3);
    expect(await indexJobs(id)).toBeGreaterThan(0);
  });
});

describe('words that nobody else has', () => {
  it('are found whatever else is in the text', async () => {
    const strange = `# \u0000 Heading\n\n${'x'.repeat(3_000)}\n\nThe lone \ud800 half, a soft\u00adhyphen and an ibexword.\n`;
    const doc = new Y.Doc();
    doc.getText('content').insert(0, strange);
    const id = await write(ada, '');
    const editor = await openEditor(system.app, ada, id);
    Y.applyUpdate(editor.doc, Y.encodeStateAsUpdate(doc));
    await editor.provider.whenSaved();
    editor.close();
    const [hit] = await found(ada, 'ibexword');
    expect(hit?.text).toContain('ibexword');
    expect(await system.search(ada, 'softhyphen')).toHaveLength(1);
  });
});
