import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compactDocument, keepVersionNow } from '../../shared/documents/compact.js';
import type { Answer, TestUser } from '../support/app.js';
import { makeDocument, openEditor, share, storedText } from '../support/documents.js';
import { endedSuggestion } from '../support/suggestions.js';
import { startTestSystem, type TestSystem } from '../support/system.js';

let system: TestSystem;
let ada: TestUser;
let ben: TestUser;

beforeAll(async () => {
  system = await startTestSystem();
  ada = await system.app.registerUser({ name: 'Ada' });
  ben = await system.app.registerUser({ name: 'Ben' });
});
afterAll(() => system.close());

const call = (user: TestUser, method: string, path: string, body?: object): Promise<Answer> =>
  system.app.request(method, path, { token: user.accessToken, body });

/** Makes a document that Ben edits too, and lets Claude rewrite it as told. */
async function suggest(content: string, rewrite: string) {
  const id = await makeDocument(system.app, ada, { title: 'T', content });
  await share(system.app, ada, id, ben);
  const instruction = `Make it better. [[stand-in: echo]] ${rewrite}`;
  const { body } = await call(ada, 'POST', `/documents/${id}/edits`, { instruction });
  const { suggestionId } = body as { suggestionId: string };
  const path = `/documents/${id}/suggestions/${suggestionId}`;
  return { id, path, suggestionId, suggestion: await endedSuggestion(system.app, ada, path) };
}

const before = 'one old line\n\ntwo\n\nthree is gone\n';
const after = 'one new line\n\ntwo\n\nthree\n';

describe('a suggestion', () => {
  test('is decided on once, though it is said again by somebody who has got no answer', async () => {
    const { id, path, suggestionId } = await suggest(before, after);
    const editor = await openEditor(system.app, ben, id);
    const onSocket = { documentId: id, suggestionId };
    const again = [undefined, undefined, { hunks: [0] }, { hunks: [1, 0] }];
    const accepted = await Promise.all(again.map((body) => call(ben, 'POST', `${path}/accept`, body)));
    expect(accepted.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const { seq } = await editor.client.connection.request('suggestion:accept', onSocket);
    editor.close();
    expect(seq).toBe((await call(ada, 'GET', `/documents/${id}`)).body.seq);
    expect(await storedText(system.app, ada, id)).toBe(after);
    expect((await call(ben, 'POST', `${path}/reject`)).status).toBe(409);
    const undone = await Promise.all(again.map((body) => call(ben, 'POST', `${path}/undo`, body)));
    expect(undone.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await storedText(system.app, ada, id)).toBe(before);
  });

  test('is not taken back where the text has gone on without it', async () => {
    const take = async (content: string) => {
      const { id, path, suggestion } = await suggest(before, after);
      expect(suggestion.hunks).toHaveLength(2);
      await call(ada, 'POST', `${path}/accept`);
      expect(await storedText(system.app, ada, id)).toBe(after);
      const { body } = await call(ada, 'GET', `/documents/${id}`);
      await call(ada, 'PATCH', `/documents/${id}`, { content, base: body.base });
      return { id, path };
    };
    // The one was replaced, where the other was nothing is left.
    const gone = await take('one good line\n\ntwo\n');
    await compactDocument(system.app.ctx.database, gone.id);
    const named = await call(ben, 'POST', `${gone.path}/undo`, { hunks: [0] });
    expect([named.status, named.body.code]).toEqual([409, 'conflict']);
    expect((await call(ben, 'POST', `${gone.path}/undo`)).status).toBe(409);
    expect((await call(ada, 'GET', gone.path)).body.hunks).toMatchObject([{ state: 'stale' }, { state: 'stale' }]);
    expect(await storedText(system.app, ada, gone.id)).toBe('one good line\n\ntwo\n');
    // What is there yet is taken back.
    const half = await take('one good line\n\ntwo\n\nthree!\n');
    const { body } = await call(ben, 'POST', `${half.path}/undo`);
    expect(body.hunks).toMatchObject([{ state: 'stale' }, { state: 'undone' }]);
    expect(await storedText(system.app, ada, half.id)).toBe('one good line\n\ntwo\n\nthree is gone!\n');
    // What was put back by hand is not put back once more.
    for (const content of ['one new line\n\ntwo\n\nthree is gone\n', 'one new line\n\ntwo\n\nthree is gone again\n']) {
      const byHand = await take(content);
      await compactDocument(system.app.ctx.database, byHand.id);
      const undone = await call(ben, 'POST', `${byHand.path}/undo`);
      expect(undone.body.hunks).toMatchObject([{ state: 'undone' }, { state: 'stale' }]);
      expect(await storedText(system.app, ada, byHand.id)).toBe(content.replace('new', 'old'));
    }
  });

  test('is not taken back once the text is what it was in a version, also when both are at once', async () => {
    for (const atOnce of [false, true]) {
      const { id, path } = await suggest(before, after);
      await keepVersionNow(system.app.ctx.database, id, 'schedule');
      const accept = () => call(ben, 'POST', `${path}/accept`);
      const restore = () => call(ada, 'POST', `/documents/${id}/versions/1/restore`);
      const answers = atOnce ? await Promise.all([accept(), restore()]) : [await accept(), await restore()];
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      const text = await storedText(system.app, ada, id);
      if (!atOnce) expect(text).toBe(before);
      const undo = await call(ben, 'POST', `${path}/undo`);
      expect(undo.status).toBe(text === before ? 409 : 200);
      expect(await storedText(system.app, ada, id)).toBe(before);
    }
  });
});
