import type pg from 'pg';
import { epochMs, wait, waitFor } from '../clock.js';
import type { Follower } from '../follow.js';
import { type Person, postMessage } from '../people.js';
import { singleMark } from './marks.js';

/** How long single messages waited, in milliseconds. */
export type Waits = {
  /** From sending the POST until its `reply:started` was heard: what the user sees. */
  seen: number[];
  /** From the acceptance of the job until a worker claimed it, by the clock of Postgres. */
  stored: number[];
};

const pauseMs = 100;

/** Posts one message after another, each when the one before was replied to, while `goesOn` holds. */
export async function postSingleMessages(
  user: { person: Person; follower: Follower; webUrls: string[]; sql: pg.Pool },
  goesOn: (done: number) => boolean,
): Promise<Waits> {
  const { person, follower, webUrls, sql } = user;
  const seen: number[] = [];
  const jobs: string[] = [];
  while (goesOn(seen.length)) {
    const conversationId = person.conversationIds[seen.length % person.conversationIds.length] ?? '';
    const sentAt = epochMs();
    const webUrl = webUrls[seen.length % webUrls.length] ?? '';
    const { replyId, jobId } = await postMessage(webUrl, person.token, conversationId, singleMark);
    const started = (): number | undefined => follower.replies.get(replyId)?.started[0]?.at;
    const ended = (): boolean => (follower.replies.get(replyId)?.ends.length ?? 0) > 0;
    await waitFor(ended, 60_000, 'the reply to a single message', 10);
    seen.push((started() ?? NaN) - sentAt);
    jobs.push(jobId);
    await wait(pauseMs);
  }
  return { seen, stored: await storedWaits(sql, jobs) };
}

async function storedWaits(sql: pg.Pool, jobs: string[]): Promise<number[]> {
  const { rows } = await sql.query<{ ms: number }>(
    `SELECT (extract(epoch FROM started_at - created_at) * 1000)::float8 AS ms FROM jobs WHERE id = ANY($1::uuid[])`,
    [jobs],
  );
  return rows.map(({ ms }) => ms);
}
