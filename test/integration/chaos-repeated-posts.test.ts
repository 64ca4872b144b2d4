import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
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
    await eventually(async () => {
      const { rows } = await database.query<{ waiting: number }>(
        `SELECT count(*)::int AS waiting FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO messages%'`,
      );
      expect(rows[0]?.waiting).toBe(posting.length);
    });
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
  await system.app.request('POST', `/messages/${first.body.reply.id}/cancel`, { token: user.accessToken });
  expect(await system.ended(user, second.body.reply.id as string)).toMatchObject({ state: 'done' });
});
