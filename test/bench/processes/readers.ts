/** Helper process: a socket client for each reply, all of which it has made at times spread over a while. */
import { epochMs, wait, waitFor } from '../clock.js';
import { type Follower, follow, problemsOf, type ReplyRecord } from '../follow.js';
import { postMessage } from '../people.js';
import { serveQuestions } from '../stage/messages.js';
import { delaysOf, type TokenDelays } from '../stream/delays.js';

export type Reader = { webUrl: string; token: string; conversationId: string };

export type ReadOrder = {
  readers: Reader[];
  content: string;
  /** The first is posted at once, the last this much later, in milliseconds. */
  spreadMs: number;
  /** How long it may take from the last post until all have ended, in milliseconds. */
  limitMs: number;
};

export type ReadReport = TokenDelays & {
  /** The most replies that were under way at once. */
  atOnce: number;
  /** Not all replies ended in time: what is missing of them is late, not lost. */
  timedOut: boolean;
  /** Gaps, repetitions and lost connections. */
  problems: string[];
};

async function read({ readers, content, spreadMs, limitMs }: ReadOrder): Promise<ReadReport> {
  const followers: Follower[] = [];
  for (const { webUrl, token, conversationId } of readers)
    followers.push(await follow(webUrl, token, [conversationId]));
  const startedAt = epochMs();
  const problems: string[] = [];
  await Promise.all(
    readers.map(async ({ webUrl, token, conversationId }, index) => {
      await wait(startedAt + (index * spreadMs) / readers.length - epochMs());
      await postMessage(webUrl, token, conversationId, content);
    }),
  );
  const recordOf = ({ replies }: Follower): ReplyRecord | undefined => replies.values().next().value;
  const allEnded = (): boolean => followers.every((each) => (recordOf(each)?.ends.length ?? 0) > 0);
  const timedOut = await waitFor(allEnded, limitMs, 'the end of all replies', 50).then(
    () => false,
    () => true,
  );

  const records = followers.flatMap((follower) => recordOf(follower) ?? []);
  if (records.length < readers.length) problems.push(`${readers.length - records.length} replies were never heard of`);
  for (const follower of followers) {
    problems.push(...follower.interruptions);
    follower.close();
  }
  for (const record of records) problems.push(...problemsOf(record));
  const heard = records.map(({ deltas }) => deltas);
  return { ...delaysOf(heard), atOnce: atOnce(records), timedOut, problems };
}

function atOnce(records: ReplyRecord[]): number {
  const changes = records.flatMap(({ deltas, ends }) => [
    { at: deltas[0]?.at ?? Infinity, by: 1 },
    { at: ends[0]?.at ?? Infinity, by: -1 },
  ]);
  let running = 0;
  return Math.max(...changes.sort((a, b) => a.at - b.at).map(({ by }) => (running += by)));
}

serveQuestions({ read });
