import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { conversationOrderKey, postMessage } from '../../shared/conversations/post-message.js';
import { faultsOf, type Heard, hearReplies } from '../support/heard.js';
import { startTestSystem, type TestSystem } from '../support/system.js';
import { eventually } from '../support/eventually.js';

vi.setConfig({ testTimeout: 60_000 });

let system: TestSystem;
let heard: Heard;
beforeAll(async () => {
  system = await startTestSystem({ modelApi: { rate: 0 } });
  heard = await hearReplies(system.redisUrl);
});
afterAll(async () => {
  heard.close();
  await system.close();
});

const times = Array.from({ length: 20 });

async function everythingOf(conversationId: string) {
  const { database } = system.app.ctx;
  const messages = await database.query<{ id: string }>('SELECT id FROM messages WHERE conversation_id = $1', [
    conversationId,
  ]);
  const jobs = await database.query(
    'SELECT id FROM jobs WHERE subject_id IN (SELECT id FROM messages WHERE conversation_id = $1)',
    [conversationId],
  );
  const usage = await database.query('SELECT id FROM usage WHERE conversation_id = $1', [conversationId]);
  return { messages: messages.rows.length, jobs: jobs.rows.length, usage: usage.rows.length };
}

/** Posts that wait for the row of their conversation. */
async function waitingPosts(): Promise<number> {
  const { rows } = await system.app.ctx.database.query<{ waiting: number }>(
    `SELECT count(*)::int AS waiting FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO messages%'`,
  );
  return rows[0]?.waiting ?? NaN;
}

/** Posts 20 times at once, and looks at what came of it. */
async function postTwentyTimes(body: object, headers: () => Record<string, string>): Promise<void> {
  const { user, conversationId } = await system.openConversation();
  const answers = await Promise.all(times.map(() => system.post(user, conversationId, body, headers())));
  expect(answers.map(({ status }) => status)).toEqual(times.map(() => 202));
  const ids = answers.map((answer) => [answer.body.message.id, answer.body.reply.id, answer.body.jobId].join(' '));
  expect(new Set(ids).size).toBe(1);
  const replyId = answers[0]?.body.reply.id as string;
  expect(answers.filter((answer) => answer.headers.get('idempotency-replayed') === null)).toHaveLength(1);

  const reply = await system.ended(user, replyId);
  expect(reply).toMatchObject({ state: 'done', content: 'once', attempt: 1 });
  expect(await everythingOf(conversationId)).toEqual({ messages: 2, jobs: 1, usage: 1 });
  await eventually(() => expect(faultsOf(heard.of(replyId))).toEqual([]));

  const late = await system.post(user, conversationId, body, headers());
  expect(late.body).toMatchObject({
    message: { id: answers[0]?.body.message.id },
    reply: { id: replyId, state: 'done' },
  });
}

describe('a message that is posted 20 times at once', () => {
  it('with one Idempotency-Key is one message with one reply, and everybody gets the same ids', async () => {
    const key = randomUUID();
    await postTwentyTimes({ content: '[[stand-in: echo]] once' }, () => ({ 'idempotency-key': key }));
  });

  it('with one clientId too', async () => {
    await postTwentyTimes({ content: '[[stand-in: echo]] once', clientId: 'mine' }, () => ({}));
  });

  it('and with one clientId under a key each, as a client does that makes a new key for each try', async () => {
    await postTwentyTimes({ content: '[[stand-in: echo]] once', clientId: 'mine' }, () => ({
      'idempotency-key': randomUUID(),
    }));
  });

  it('leaves no holes in the order of the conversation', async () => {
    const { user, conversationId } = await system.openConversation();
    const send = (n: number) =>
      system.post(
        user,
        conversationId,
        { content: `[[stand-in: echo]] ${n}`, reply: false },
        { 'idempotency-key': `key-${n % 5}-${conversationId}` },
      );
    const answers = await Promise.all(times.map((_, index) => send(index % 5)));
    expect(new Set(answers.map((answer) => answer.body.message.id)).size).toBe(5);
    expect(new Set(answers.map((answer) => answer.body.message.seq))).toEqual(new Set([1, 2, 3, 4, 5]));
  });

  it('is refused when the key comes with another body, and changes nothing', async () => {
    const { user, conversationId } = await system.openConversation();
    const headers = { 'idempotency-key': randomUUID() };
    await system.post(user, conversationId, { content: 'one', reply: false }, headers);
    const other = await system.post(user, conversationId, { content: 'two', reply: false }, headers);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    expect(await everythingOf(conversationId)).toEqual({ messages: 1, jobs: 0, usage: 0 });
  });
});

it('messages that are posted at once in one conversation are replied to one after the other', async () => {
  const { user, conversationId } = await system.openConversation();
  const { database } = system.app.ctx;
  // All of them have begun, and seen nothing of each other, when the first of them can go on.
  const answers = await database.transaction(async (tx) => {
    await tx.query('SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE', [conversationId]);
    const posting = Array.from({ length: 5 }, () => system.post(user, conversationId, { content: 'Hello' }));
    await eventually(async () => expect(await waitingPosts()).toBe(posting.length));
    return { posting };
  });
  const posted = await Promise.all(answers.posting);
  expect(posted.map(({ status }) => status)).toEqual(posted.map(() => 202));
  const replies = await Promise.all(posted.map(({ body }) => system.ended(user, body.reply.id as string)));
  expect(replies.map(({ state }) => state)).toEqual(posted.map(() => 'done'));
  const { rows } = await database.query<{ overlaps: number }>(
    `SELECT count(*)::int AS overlaps FROM jobs AS one JOIN jobs AS other USING (order_key)
     WHERE order_key = $1 AND one.id <> other.id AND one.started_at < other.started_at AND one.finished_at > other.started_at`,
    [`conversation:${conversationId}`],
  );
  expect(rows).toEqual([{ overlaps: 0 }]);
});

it('a reply goes behind one that waits for its turn, though the one before both has ended in between', async () => {
  const { user, conversationId } = await system.openConversation();
  const { database } = system.app.ctx;
  const orderKey = conversationOrderKey(conversationId);
  const running = randomUUID();
  await database.query(
    `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, order_key, state, lease_until)
     VALUES ($1, 'reply-to-message', 'replies', '{}', $2, $1, $3, 'running', now() + interval '1 hour')`,
    [running, user.user.id, orderKey],
  );
  const waiting = (count: number) => eventually(async () => expect(await waitingPosts()).toBe(count));
  // Told to nobody: what may go at once is to be seen as it was accepted.
  const post = (content: string) => postMessage(database, { conversationId, authorId: user.user.id, content });
  const posting = await database.transaction(async (tx) => {
    await tx.query('SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE', [conversationId]);
    const first = post('sees the one that runs');
    await waiting(1);
    await database.query(`UPDATE jobs SET state = 'done', finished_at = now() WHERE id = $1`, [running]);
    const second = post('sees neither');
    await waiting(2);
    return [first, second];
  });
  const posted = await Promise.all(posting);
  expect(posted.map(({ ready }) => ready?.orderKey)).toEqual([orderKey, orderKey]);
});

it('a reply goes behind one that failed and was put in line again in between', async () => {
  const { user, conversationId } = await system.openConversation();
  const { database } = system.app.ctx;
  const orderKey = conversationOrderKey(conversationId);
  const posting = await database.transaction(async (tx) => {
    await tx.query('SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE', [conversationId]);
    const posted = postMessage(database, { conversationId, authorId: user.user.id, content: 'Hello' });
    await eventually(async () => expect(await waitingPosts()).toBe(1));
    await database.query(
      `INSERT INTO jobs (id, kind, queue, payload, user_id, subject_id, order_key, run_at)
       VALUES ($1, 'reply-to-message', 'replies', '{}', $2, $1, $3, now() + interval '1 hour')`,
      [randomUUID(), user.user.id, orderKey],
    );
    return [posted];
  });
  const posted = await Promise.all(posting);
  expect(posted.map(({ ready }) => ready?.orderKey)).toEqual([orderKey]);
});

it('a message that nothing goes before may be replied to at once, and one behind another reply waits for it', async () => {
  const { user, conversationId } = await system.openConversation();
  const isBlocked = async (jobId: string): Promise<boolean> => {
    const { rows } = await system.app.ctx.database.query<{ blocked: boolean }>(
      'SELECT blocked FROM jobs WHERE id = $1',
      [jobId],
    );
    return rows[0]?.blocked ?? true;
  };
  const first = await system.post(user, conversationId, { content: '[[stand-in: hang]]' });
  const second = await system.post(user, conversationId, { content: '[[stand-in: echo]] next' });
  expect([await isBlocked(first.body.jobId as string), await isBlocked(second.body.jobId as string)]).toEqual([
    false,
    true,
  ]);
  // Behind one that waits itself: the dispatcher is told nothing, and the end of that one lets it go.
  const content = '[[stand-in: echo]] last';
  const third = await postMessage(system.app.ctx.database, { conversationId, authorId: user.user.id, content });
  expect(third.ready).toBeNull();
  expect(await isBlocked(third.jobId as string)).toBe(true);
  await system.app.request('POST', `/messages/${first.body.reply.id}/cancel`, { token: user.accessToken });
  expect(await system.ended(user, second.body.reply.id as string)).toMatchObject({ state: 'done' });
  expect(await system.ended(user, third.reply?.id as string)).toMatchObject({ state: 'done' });
});
