import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { TestUser } from './app.js';
import { faultsOf, type Heard } from './heard.js';
import type { TestSystem } from './system.js';
import { eventually } from './eventually.js';

/** Conversations of one account, made past the API: their making is not what is tested. */
export async function openMany(system: TestSystem, user: TestUser, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await system.app.ctx.database.query(
    `WITH made AS (
       INSERT INTO conversations (id, owner_id, title) SELECT id, $1, 'One of many' FROM unnest($2::uuid[]) AS id RETURNING id
     ) INSERT INTO conversation_members (conversation_id, user_id, owns) SELECT id, $1, true FROM made`,
    [user.user.id, ids],
  );
  return ids;
}

/** A reply that was accepted with 202. */
export type Accepted = { user: TestUser; replyId: string; jobId: string; milliseconds: number };

/** Posts a message into each conversation, `width` at a time; an answer that is not 202 is an error. */
export async function postEach(
  system: TestSystem,
  posts: readonly { user: TestUser; conversationId: string; content: string }[],
  width = 20,
): Promise<Accepted[]> {
  const accepted: Accepted[] = [];
  const left = [...posts];
  const postOneByOne = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) {
      const { user, conversationId, content } = next;
      const startedAt = performance.now();
      const { status, body } = await system.post(user, conversationId, { content });
      if (status !== 202) throw new Error(`a post was answered ${status}: ${JSON.stringify(body)}`);
      const milliseconds = performance.now() - startedAt;
      accepted.push({ user, replyId: body.reply.id, jobId: body.jobId, milliseconds });
    }
  };
  await Promise.all(Array.from({ length: width }, postOneByOne));
  return accepted;
}

/** How many jobs of replies are in each state. */
export async function countJobs(system: TestSystem): Promise<Record<string, number>> {
  const { rows } = await system.app.ctx.database.query<{ state: string; count: number }>(
    `SELECT state, count(*)::int AS count FROM jobs WHERE kind = 'reply-to-message' GROUP BY state`,
  );
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

type Ended = {
  id: string;
  state: string;
  content: string;
  attempt: number;
  job: string;
  attempts: number;
  usages: number;
};

/** Waits until no job is left, then reads every reply with its job and how often its cost was written down. */
export async function allEnded(system: TestSystem, timeoutMs = 50_000): Promise<Ended[]> {
  await eventually(
    async () => {
      const { done = 0, failed = 0, cancelled = 0, ...left } = await countJobs(system);
      expect(left, `${done} done, ${failed} failed, ${cancelled} cancelled`).toEqual({});
    },
    { timeout: timeoutMs, interval: 100 },
  );
  const { rows } = await system.app.ctx.database.query<Ended>(`
    SELECT reply.id, reply.state, reply.content, reply.attempt, jobs.state AS job, jobs.attempt AS attempts,
      (SELECT count(*)::int FROM usage WHERE message_id = reply.id) AS usages
    FROM messages AS reply JOIN jobs ON jobs.subject_id = reply.id WHERE reply.role = 'assistant'`);
  return rows;
}

/** Fails unless every reply is done, once, with the text, and was heard from its start to its end without a fault. */
export async function expectAllDone(
  system: TestSystem,
  heard: Heard | null,
  accepted: readonly Accepted[],
  text: string,
) {
  const ids = new Set(accepted.map(({ replyId }) => replyId));
  const ended = (await allEnded(system)).filter(({ id }) => ids.has(id));
  expect(ended.length).toBe(accepted.length);
  const wrong = ended.filter((reply) => reply.state !== 'done' || reply.job !== 'done' || reply.content !== text);
  expect(wrong).toEqual([]);
  const faults = () =>
    ended.flatMap(({ id }) => (heard ? faultsOf(heard.of(id)).map((fault) => `${id}: ${fault}`) : []));
  await eventually(() => expect(faults()).toEqual([]));
  return ended;
}
