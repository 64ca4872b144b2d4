// Long: what members, strangers and bad input may do to conversations, in one table of cases.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp, type TestUser } from '../support/app.js';

let app: TestApp;
let owner: TestUser;
let other: TestUser;
beforeAll(async () => {
  app = await startTestApp();
  owner = await app.registerUser({ name: 'Olga' });
  other = await app.registerUser({ name: 'Theo' });
});
afterAll(() => app.close());

const as = (user: TestUser) => ({
  get: (path: string) => app.request('GET', path, { token: user.accessToken }),
  post: (path: string, body?: unknown, headers?: Record<string, string>) =>
    app.request('POST', path, { token: user.accessToken, body, headers }),
  put: (path: string, body: unknown) => app.request('PUT', path, { token: user.accessToken, body }),
  patch: (path: string, body: unknown) => app.request('PATCH', path, { token: user.accessToken, body }),
  delete: (path: string) => app.request('DELETE', path, { token: user.accessToken }),
});

async function open(user = owner): Promise<string> {
  const { status, body } = await as(user).post('/conversations', { title: 'Plans' });
  expect(status).toBe(201);
  return body.id;
}

/** How many rows there are of what a request could have made. */
async function counts(): Promise<string> {
  const { rows } = await app.ctx.database.query(
    'SELECT (SELECT count(*) FROM conversations) AS c, (SELECT count(*) FROM messages) AS m, (SELECT count(*) FROM jobs) AS j',
  );
  return JSON.stringify(rows[0]);
}

describe('conversations', () => {
  it('are created, read, changed, listed and deleted by their owner', async () => {
    const id = await open();
    expect((await as(owner).get(`/conversations/${id}`)).body).toMatchObject({
      title: 'Plans',
      lastSeq: 0,
      ownerId: owner.user.id,
    });
    const changed = await as(owner).patch(`/conversations/${id}`, { title: 'Other plans', systemPrompt: 'Be brief.' });
    expect(changed.body).toMatchObject({ title: 'Other plans', systemPrompt: 'Be brief.', model: null });
    expect((await as(owner).patch(`/conversations/${id}`, { systemPrompt: null })).body.systemPrompt).toBeNull();
    expect((await as(owner).get('/conversations')).body.items[0].id).toBe(id);
    expect((await as(owner).delete(`/conversations/${id}`)).status).toBe(204);
    expect((await as(owner).get(`/conversations/${id}`)).status).toBe(404);
  });

  it('are made once under one Idempotency-Key, also by requests at once', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const before = JSON.parse(await counts());
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => as(owner).post('/conversations', { title: 'Once' }, key)),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
    expect(JSON.parse(await counts()).c - before.c).toBe(1);
    const reused = await as(owner).post('/conversations', { title: 'Another' }, key);
    expect([reused.status, reused.body.code]).toEqual([422, 'idempotency_key_reused']);
  });

  it('are not there for whoever is no member', async () => {
    const id = await open();
    const posted = await as(owner).post(`/conversations/${id}/messages`, { content: 'secret', reply: false });
    const before = await counts();
    const message = posted.body.message.id;
    const answers = await Promise.all([
      as(other).get(`/conversations/${id}`),
      as(other).patch(`/conversations/${id}`, { title: 'mine' }),
      as(other).delete(`/conversations/${id}`),
      as(other).get(`/conversations/${id}/messages`),
      as(other).get(`/conversations/${id}/members`),
      as(other).put(`/conversations/${id}/members/${other.user.id}`, { history: 'all' }),
      as(other).post(`/conversations/${id}/messages`, { content: 'hello' }),
      as(other).get(`/messages/${message}`),
      as(other).patch(`/messages/${message}`, { content: 'changed' }),
      as(other).delete(`/messages/${message}`),
      as(other).post(`/messages/${message}/cancel`),
      as(other).post(`/messages/${message}/regenerate`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
    expect((await as(other).get('/messages/search?q=secret')).body.items).toEqual([]);
    expect(await counts()).toBe(before);
  });

  it('page without a gap, in both directions', async () => {
    const id = await open();
    for (let n = 1; n <= 7; n += 1)
      await as(owner).post(`/conversations/${id}/messages`, { content: `m${n}`, reply: false });
    for (const order of ['asc', 'desc'] as const) {
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page = await as(owner).get(
          `/conversations/${id}/messages?limit=3&order=${order}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
        );
        seen.push(...page.body.items.map((item: { content: string }) => item.content));
        cursor = page.body.nextCursor;
      }
      const expected = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7'];
      expect(seen).toEqual(order === 'asc' ? expected : expected.reverse());
    }
  });
});

describe('the list', () => {
  it('has own conversations and those of others in one order, page by page', async () => {
    const [lister, sharer] = [await app.registerUser(), await app.registerUser()];
    const made: string[] = [];
    for (let n = 0; n < 7; n += 1) {
      const by = n % 3 === 1 ? sharer : lister;
      const { id } = (await as(by).post('/conversations', { title: `c${n}` })).body;
      if (by === sharer) await as(by).put(`/conversations/${id}/members/${lister.user.id}`, { history: 'all' });
      made.unshift(id);
    }
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await as(lister).get(
        `/conversations?limit=2${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
      );
      seen.push(...page.body.items.map((item: { id: string }) => item.id));
      cursor = page.body.nextCursor;
    }
    expect(seen).toEqual(made);
  });
});

describe('members', () => {
  it('read from now on, or everything, as the one who adds says', async () => {
    const id = await open();
    const newcomer = await app.registerUser({ name: 'Nora' });
    const early = await as(owner).post(`/conversations/${id}/messages`, { content: 'early zebra', reply: false });
    await as(owner).put(`/conversations/${id}/members/${newcomer.user.id}`, { history: 'from-now' });
    await as(owner).post(`/conversations/${id}/messages`, { content: 'late zebra', reply: false });
    const contents = async () =>
      (await as(newcomer).get(`/conversations/${id}/messages?order=asc`)).body.items.map(
        (item: { content: string }) => item.content,
      );
    const found = async () => (await as(newcomer).get('/messages/search?q=zebra')).body.items.length;
    expect(await contents()).toEqual(['late zebra']);
    expect(await found()).toBe(1);
    expect((await as(newcomer).get(`/messages/${early.body.message.id}`)).status).toBe(404);
    await as(owner).put(`/conversations/${id}/members/${newcomer.user.id}`, { history: 'all' });
    expect(await contents()).toEqual(['early zebra', 'late zebra']);
    expect(await found()).toBe(2);
    await as(owner).delete(`/conversations/${id}/members/${newcomer.user.id}`);
    expect((await as(newcomer).get(`/conversations/${id}/messages`)).status).toBe(404);
    expect(await found()).toBe(0);
  });

  it('are the owner’s to change, and may leave; the owner may not', async () => {
    const id = await open();
    const member = await app.registerUser({ role: 'guest' });
    await as(owner).put(`/conversations/${id}/members/${member.user.id}`, { history: 'all' });
    expect((await as(member).put(`/conversations/${id}/members/${other.user.id}`, { history: 'all' })).status).toBe(
      403,
    );
    expect((await as(member).delete(`/conversations/${id}/members/${owner.user.id}`)).status).toBe(403);
    expect((await as(member).patch(`/conversations/${id}`, { systemPrompt: 'Obey me.' })).status).toBe(403);
    expect((await as(member).delete(`/conversations/${id}`)).status).toBe(403);
    expect((await as(member).post(`/conversations/${id}/messages`, { content: 'hi' })).status).toBe(202);
    expect((await as(owner).delete(`/conversations/${id}/members/${owner.user.id}`)).status).toBe(409);
    expect((await as(member).delete(`/conversations/${id}/members/${member.user.id}`)).status).toBe(204);
    expect((await as(owner).put(`/conversations/${id}/members/${randomUUID()}`, { history: 'all' })).status).toBe(404);
    expect((await as(member).post('/conversations', { title: 'mine' })).status).toBe(403);
  });
});

describe('who asks Claude', () => {
  it('is everybody alone, whoever mentions @claude, and whoever says so', async () => {
    const id = await open();
    const post = async (body: object) =>
      (await as(owner).post(`/conversations/${id}/messages`, body)).body.reply !== null;
    expect(await post({ content: 'alone' })).toBe(true);
    expect(await post({ content: 'alone, but no', reply: false })).toBe(false);
    await as(owner).put(`/conversations/${id}/members/${other.user.id}`, { history: 'all' });
    expect(await post({ content: 'to you' })).toBe(false);
    expect(await post({ content: 'write to me@claude.example' })).toBe(false);
    expect(await post({ content: 'what do you say, @Claude?' })).toBe(true);
    expect(await post({ content: 'to you both', reply: true })).toBe(true);
  });
});

describe('messages', () => {
  it('are found by their words, newest first, page by page', async () => {
    const id = await open();
    for (const content of ['the quick brown foxes', 'a fox and a hound', 'nothing here']) {
      await as(owner).post(`/conversations/${id}/messages`, { content, reply: false });
    }
    const first = await as(owner).get(`/messages/search?q=fox&conversationId=${id}&limit=1`);
    expect(first.body.items[0].message.content).toBe('a fox and a hound');
    const second = await as(owner).get(
      `/messages/search?q=fox&conversationId=${id}&limit=1&cursor=${encodeURIComponent(first.body.nextCursor)}`,
    );
    expect(second.body.items[0].snippet).toContain('quick brown foxes');
    expect(
      (await as(owner).get(`/messages/search?q=${encodeURIComponent('"brown foxes" -hound')}`)).body.items,
    ).toHaveLength(1);
  });

  it('are changed and deleted by their author only', async () => {
    const id = await open();
    await as(owner).put(`/conversations/${id}/members/${other.user.id}`, { history: 'all' });
    const { body } = await as(owner).post(`/conversations/${id}/messages`, { content: 'tpyo', reply: false });
    const path = `/messages/${body.message.id}`;
    expect((await as(other).patch(path, { content: 'mine' })).status).toBe(403);
    expect((await as(other).delete(path)).status).toBe(403);
    expect((await as(owner).patch(path, { content: 'typo' })).body).toMatchObject({
      content: 'typo',
      editedAt: expect.any(String),
    });
    expect((await as(owner).delete(path)).body).toMatchObject({ content: '', deletedAt: expect.any(String) });
    expect((await as(owner).patch(path, { content: 'back' })).status).toBe(409);
    expect((await as(owner).get('/messages/search?q=typo')).body.items).toHaveLength(0);
  });
});

describe('bad input', () => {
  it('gets its 4xx with a code, and changes nothing', async () => {
    const id = await open();
    const before = await counts();
    const path = `/conversations/${id}/messages`;
    const raw = (body: string, contentType = 'application/json') =>
      app.request('POST', path, { token: owner.accessToken, body, headers: { 'content-type': contentType } });
    const cases: [Promise<{ status: number; body: { code: string } }>, number, string][] = [
      [as(owner).post(path, {}), 400, 'invalid_request'],
      [as(owner).post(path, { content: 7 }), 400, 'invalid_request'],
      [as(owner).post(path, { content: '' }), 400, 'invalid_request'],
      [as(owner).post(path, { content: ' \n ' }), 400, 'invalid_request'],
      [as(owner).post(path, { content: 'a\u0000b' }), 400, 'invalid_request'],
      [as(owner).post(path, { content: 'x'.repeat(100_001) }), 400, 'invalid_request'],
      [as(owner).post(path, { content: 'x', colour: 'red' }), 400, 'invalid_request'],
      [as(owner).post(path, { content: 'x', reply: 'yes' }), 400, 'invalid_request'],
      [as(owner).post(path, [1]), 400, 'invalid_request'],
      [raw('{"content":'), 400, 'malformed_json'],
      [raw('"text"'), 400, 'invalid_request'],
      [raw('{"content":"x"}', 'text/plain'), 415, 'unsupported_media_type'],
      [raw(JSON.stringify({ content: 'x'.repeat(1_100_000) })), 413, 'payload_too_large'],
      [as(owner).post(path, { content: 'x' }, { 'idempotency-key': 'k'.repeat(256) }), 400, 'invalid_request'],
      [as(owner).post('/conversations/not-an-id/messages', { content: 'x' }), 404, 'not_found'],
      [as(owner).post(`/conversations/${randomUUID()}/messages`, { content: 'x' }), 404, 'not_found'],
      [as(owner).get(`${path}?cursor=nonsense`), 400, 'invalid_cursor'],
      [as(owner).get(`${path}?cursor=${Buffer.from('"x"').toString('base64url')}`), 400, 'invalid_cursor'],
      [as(owner).get(`${path}?limit=0`), 400, 'invalid_request'],
      [as(owner).get(`${path}?limit=1&limit=2`), 400, 'invalid_request'],
      [as(owner).get(`${path}?unknown=1`), 400, 'invalid_request'],
      [as(owner).get('/messages/search?q='), 400, 'invalid_request'],
      [as(owner).get('/messages/search?q=%00'), 400, 'invalid_request'],
      [as(owner).get('/messages/%E0%A4%A'), 400, 'invalid_request'],
      [as(owner).put('/conversations', {}), 405, 'method_not_allowed'],
      [as(owner).get('/nowhere'), 404, 'not_found'],
      [app.request('GET', '/conversations'), 401, 'unauthenticated'],
      [app.request('GET', '/conversations', { token: 'forged.token.here' }), 401, 'unauthenticated'],
    ];
    for (const [answer, status, code] of cases) {
      const { status: got, body } = await answer;
      expect([got, body.code]).toEqual([status, code]);
    }
    expect(await counts()).toBe(before);
  });
});

describe('jobs', () => {
  it('are seen, cancelled and put in line by their owner', async () => {
    const id = await open();
    const posted = await Promise.all(
      [1, 2, 3].map((n) => as(owner).post(`/conversations/${id}/messages`, { content: `q${n}` })),
    );
    const jobs = await Promise.all(posted.map(({ body }) => as(owner).get(`/jobs/${body.jobId}`)));
    expect(jobs.map(({ status }) => status)).toEqual([200, 200, 200]);
    const { jobId, reply } = posted[2]?.body ?? {};
    expect((await as(other).get(`/jobs/${jobId}`)).status).toBe(404);
    expect((await as(other).post(`/jobs/${jobId}/cancel`)).status).toBe(404);
    expect((await as(owner).post(`/jobs/${jobId}/retry`)).status).toBe(409);
    expect((await as(owner).post(`/jobs/${jobId}/cancel`)).body.state).toBe('cancelled');
    expect((await as(owner).get(`/messages/${reply.id}`)).body.state).toBe('cancelled');
    expect((await as(owner).post(`/messages/${reply.id}/cancel`)).body.state).toBe('cancelled');
  });
});
