import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SuggestionView } from '../../shared/documents/suggestion.js';
import { requestEdit } from '../../shared/documents/request-edit.js';
import { compactDocument } from '../../shared/documents/compact.js';
import { eventually } from '../support/eventually.js';
import { type Editor, makeDocument, openEditor, share, storedText } from '../support/documents.js';
import { endedSuggestion } from '../support/suggestions.js';
import { startTestSystem, type TestSystem } from '../support/system.js';
import type { Answer, TestUser } from '../support/app.js';

let system: TestSystem;
let ada: TestUser;
let ben: TestUser;
const editors: Editor[] = [];

beforeAll(async () => {
  system = await startTestSystem();
  ada = await system.app.registerUser({ name: 'Ada' });
  ben = await system.app.registerUser({ name: 'Ben' });
});
afterAll(async () => {
  for (const editor of editors) editor.close();
  await system.close();
});

const call = (user: TestUser, method: string, path: string, body?: object): Promise<Answer> =>
  system.app.request(method, path, { token: user.accessToken, body });

async function open(documentId: string): Promise<Editor> {
  const editor = await openEditor(system.app, ben, documentId);
  editors.push(editor);
  return editor;
}

/** Makes a document that Ben edits too, and lets Claude rewrite it as told. */
async function suggest(content: string, rewrite: string, range?: { start: number; end: number }) {
  const id = await makeDocument(system.app, ada, { title: 'T', content });
  await share(system.app, ada, id, ben);
  const editor = await open(id);
  const events: string[] = [];
  editor.provider.on('event', ({ name }) => events.push(name));
  const instruction = `Make it better. [[stand-in: echo]] ${rewrite}`;
  const asked = await call(ada, 'POST', `/documents/${id}/edits`, { instruction, range });
  expect(asked.status).toBe(202);
  const path = `/documents/${id}/suggestions/${asked.body.suggestionId}`;
  const suggestion = await ended(path);
  return { id, editor, events, path, asked: asked.body as { suggestionId: string; jobId: string }, suggestion };
}

const ended = (path: string) => endedSuggestion(system.app, ada, path);

const poem = 'Roses are red,\nviolets are blue,\nsugar is sweet\nand so are you.\n';

describe('an edit by Claude', () => {
  test('is refused for a range that cuts a character in two', async () => {
    const id = await makeDocument(system.app, ada, { title: 'T', content: 'a😀b' });
    const ask = async (start: number, end: number): Promise<number> =>
      (await call(ada, 'POST', `/documents/${id}/edits`, { instruction: 'Better', range: { start, end } })).status;
    expect([await ask(0, 2), await ask(2, 4), await ask(1, 3)]).toEqual([400, 400, 202]);
  });

  test('is streamed, suggested, accepted while somebody types, and taken back after others typed on', async () => {
    const rewrite = poem.replace('red', 'crimson').replace('sweet', 'sticky').trim();
    const { id, editor, events, path, suggestion } = await suggest(poem, rewrite);
    expect(suggestion).toMatchObject({ state: 'ready', attempt: 1, userId: ada.user.id });
    expect(suggestion.hunks.map(({ state }) => state)).toEqual(['open', 'open']);
    await eventually(() => expect(events).toContain('suggestion:ready'));
    expect(events[0]).toBe('suggestion:started');
    expect(events).toContain('suggestion:delta');
    expect(await storedText(system.app, ada, id)).toBe(poem);

    editor.text.insert(editor.text.toString().indexOf('are red'), 'always ');
    await editor.provider.whenSaved();
    await compactDocument(system.app.ctx.database, id);
    const accepted = await call(ada, 'POST', `${path}/accept`);
    expect(accepted.body.hunks.map(({ state }: { state: string }) => state)).toEqual(['accepted', 'accepted']);
    const both = poem.replace('are red', 'always are crimson').replace('sweet', 'sticky');
    expect(await storedText(system.app, ada, id)).toBe(both);
    await eventually(() => expect(editor.text.toString()).toBe(both));

    editor.text.insert(editor.text.toString().indexOf('crimson') + 3, 'XX');
    editor.text.insert(editor.text.length, 'The end.\n');
    await editor.provider.whenSaved();
    await compactDocument(system.app.ctx.database, id);
    const undone = await call(ada, 'POST', `${path}/undo`);
    expect(undone.body.hunks.map(({ state }: { state: string }) => state)).toEqual(['undone', 'undone']);
    const left = await storedText(system.app, ada, id);
    expect(left).toMatch(
      /^Roses always are (redXX|XXred),\nviolets are blue,\nsugar is sweet\nand so are you\.\nThe end\.\n$/,
    );
    await eventually(() => expect(editor.text.toString()).toBe(left));
    expect((await call(ada, 'POST', `${path}/accept`)).status).toBe(409);
    expect((await call(ada, 'POST', `${path}/reject`)).status).toBe(409);
  });

  test('is decided on by hunk, over a socket too, and once', async () => {
    const rewrite = 'Roses are green,\nviolets are grey,\nsugar is salt\nand so are they.';
    const { id, editor, path, asked } = await suggest(poem, rewrite);
    const decide = (event: 'suggestion:accept' | 'suggestion:undo', hunks: number[]) =>
      editor.client.connection.request(event, { documentId: id, suggestionId: asked.suggestionId, hunks });
    await decide('suggestion:accept', [1]);
    await decide('suggestion:accept', [3]);
    await call(ada, 'POST', `${path}/reject`, { hunks: [0] });
    await expect(decide('suggestion:accept', [0])).rejects.toMatchObject({ type: 'conflict' });
    const part = 'Roses are red,\nviolets are grey,\nsugar is sweet\nand so are they.\n';
    await eventually(() => expect(editor.text.toString()).toBe(part));
    await decide('suggestion:undo', [1]);
    await eventually(() => expect(editor.text.toString()).toBe(part.replace('grey', 'blue')));
    const twice = await Promise.all([1, 2, 3].map(() => call(ada, 'POST', `${path}/accept`, { hunks: [2] })));
    expect(twice.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await storedText(system.app, ada, id)).toBe(
      'Roses are red,\nviolets are blue,\nsugar is salt\nand so are they.\n',
    );
  });

  test('of a range leaves the rest alone, and what was deleted meanwhile stays deleted', async () => {
    const start = poem.indexOf('violets');
    const { id, editor, path, suggestion } = await suggest(poem, 'violets are turquoise,', {
      start,
      end: start + 'violets are blue,'.length,
    });
    expect(suggestion.hunks).toHaveLength(1);
    editor.text.delete(0, 'Roses are red,\n'.length);
    await editor.provider.whenSaved();
    await call(ada, 'POST', `${path}/accept`);
    expect(await storedText(system.app, ada, id)).toBe('violets are turquoise,\nsugar is sweet\nand so are you.\n');
  });

  test('that was overtaken is not taken over: not beside another one, and not where the text is gone', async () => {
    const { id, editor, path } = await suggest(poem, poem.replace('are red', 'are crimson').replace('sweet', 'sour'));
    const second = `Again. [[stand-in: echo]] ${poem.replace('are red', 'are scarlet')}`;
    const ask = (instruction: string) => call(ada, 'POST', `/documents/${id}/edits`, { instruction });
    const others = await Promise.all([second, second, second].map(ask));
    const paths = others.map(({ body }) => `/documents/${id}/suggestions/${body.suggestionId}`);
    for (const each of paths) expect((await ended(each)).hunks).toHaveLength(1);
    const answers = await Promise.all(paths.map((each) => call(ben, 'POST', `${each}/accept`)));
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 409, 409]);
    const scarlet = poem.replace('red', 'scarlet');
    expect(await storedText(system.app, ada, id)).toBe(scarlet);
    // One that is named is refused, and with it those named beside it.
    expect((await call(ada, 'POST', `${path}/accept`, { hunks: [0, 1] })).status).toBe(409);
    expect(await storedText(system.app, ada, id)).toBe(scarlet);
    // As a whole what can be is taken over, and can be taken back.
    const whole = await call(ada, 'POST', `${path}/accept`);
    expect(whole.body.hunks.map(({ state }: { state: string }) => state)).toEqual(['stale', 'accepted']);
    expect(await storedText(system.app, ada, id)).toBe(scarlet.replace('sweet', 'sour'));
    expect((await call(ben, 'POST', `${path}/undo`)).status).toBe(200);
    expect(await storedText(system.app, ada, id)).toBe(scarlet);

    const { body } = await ask(`Insert. [[stand-in: echo]] ${scarlet.replace('violets are', 'violets always are')}`);
    const inserting = `/documents/${id}/suggestions/${body.suggestionId}`;
    expect((await ended(inserting)).hunks).toHaveLength(1);
    await eventually(() => expect(editor.text.toString()).toBe(scarlet));
    editor.text.delete(scarlet.indexOf('violets'), 'violets are blue,\n'.length);
    await editor.provider.whenSaved();
    const gone = await call(ada, 'POST', `${inserting}/accept`);
    expect([gone.status, gone.body.code]).toEqual([409, 'conflict']);
    expect((await call(ada, 'GET', inserting)).body.hunks).toMatchObject([{ state: 'stale' }]);
    expect(await storedText(system.app, ada, id)).toBe(scarlet.replace('violets are blue,\n', ''));
  });

  test('ends when who asked for it may not edit any more', async () => {
    for (const level of ['view', null]) {
      const id = await makeDocument(system.app, ada, { title: 'T', content: poem });
      await share(system.app, ada, id, ben);
      const ask = await call(ben, 'POST', `/documents/${id}/edits`, {
        instruction: '[[stand-in: tokens=2000 rate=20]]',
      });
      const path = `/documents/${id}/suggestions/${ask.body.suggestionId}`;
      await eventually(async () => expect((await call(ada, 'GET', path)).body.state).toBe('running'));
      if (level === null) await call(ada, 'DELETE', `/documents/${id}/access/${ben.user.id}`);
      else await share(system.app, ada, id, ben, 'view');
      expect(await ended(path)).toMatchObject({ state: 'cancelled', hunks: [] });
    }
  });

  test('is not offered, nor waited for for ever, when it was too late to stop it', async () => {
    // As if the access had been taken away without its jobs being found: by a process of an earlier release.
    const id = await makeDocument(system.app, ada, { title: 'T', content: poem });
    await share(system.app, ada, id, ben);
    const remove = () =>
      system.app.ctx.database.query('DELETE FROM document_access WHERE document_id = $1 AND user_id = $2', [
        id,
        ben.user.id,
      ]);
    const ask = async (instruction: string) => {
      const { body } = await call(ben, 'POST', `/documents/${id}/edits`, { instruction });
      return `/documents/${id}/suggestions/${body.suggestionId}`;
    };
    const running = await ask('[[stand-in: tokens=20 rate=20]]');
    await eventually(async () => expect((await call(ada, 'GET', running)).body.state).toBe('running'));
    await remove();
    expect(await ended(running)).toMatchObject({ state: 'cancelled', hunks: [] });

    await share(system.app, ada, id, ben);
    const waiting = await system.app.ctx.database.transaction(async (tx) => {
      const { suggestionId, ready } = await requestEdit(tx, { documentId: id, userId: ben.user.id, instruction: 'x' });
      await tx.query('DELETE FROM document_access WHERE document_id = $1 AND user_id = $2', [id, ben.user.id]);
      return { path: `/documents/${id}/suggestions/${suggestionId}`, ready };
    });
    system.app.ctx.dispatcher.kick(waiting.ready);
    expect(await ended(waiting.path)).toMatchObject({ state: 'cancelled', hunks: [] });
  });

  test('that fails, or is cancelled, says so and changes nothing', async () => {
    const id = await makeDocument(system.app, ada, { title: 'T', content: poem });
    const ask = async (instruction: string) =>
      (await call(ada, 'POST', `/documents/${id}/edits`, { instruction })).body;
    const cut = await ask('[[stand-in: max-tokens]]');
    expect(await ended(`/documents/${id}/suggestions/${cut.suggestionId}`)).toMatchObject({
      state: 'failed',
      error: { code: 'edit_too_long' },
      hunks: [],
    });
    // Who hears of it may try it again at once.
    expect((await call(ada, 'POST', `/jobs/${cut.jobId}/retry`)).status).toBe(202);
    await eventually(async () =>
      expect(await ended(`/documents/${id}/suggestions/${cut.suggestionId}`)).toMatchObject({
        state: 'failed',
        attempt: 2,
      }),
    );
    const slow = await ask('[[stand-in: tokens=1000 rate=20]]');
    await eventually(async () => {
      const { body } = await call(ada, 'GET', `/documents/${id}/suggestions/${slow.suggestionId}`);
      expect(body.state).toBe('running');
    });
    await call(ada, 'POST', `/jobs/${slow.jobId}/cancel`);
    expect((await ended(`/documents/${id}/suggestions/${slow.suggestionId}`)).state).toBe('cancelled');
    expect((await call(ada, 'POST', `/documents/${id}/suggestions/${slow.suggestionId}/accept`)).status).toBe(409);
    expect(await storedText(system.app, ada, id)).toBe(poem);
    const list = await call(ada, 'GET', `/documents/${id}/suggestions?limit=1`);
    expect(list.body.items.map((item: SuggestionView) => item.id)).toEqual([slow.suggestionId]);
  });

  test('needs the right to edit, and a range that is one', async () => {
    const id = await makeDocument(system.app, ada, { title: 'T', content: poem });
    const ask = (user: TestUser, body: object) => call(user, 'POST', `/documents/${id}/edits`, body);
    expect((await ask(ben, { instruction: 'x' })).status).toBe(404);
    await share(system.app, ada, id, ben, 'view');
    expect((await ask(ben, { instruction: 'x' })).status).toBe(403);
    for (const range of [
      { start: 5, end: 4 },
      { start: 0, end: 10_000 },
    ]) {
      expect((await ask(ada, { instruction: 'x', range })).status).toBe(400);
    }
    expect((await ask(ada, { instruction: ' ' })).status).toBe(400);
  });
});
