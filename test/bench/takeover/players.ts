import { waitFor } from '../clock.js';
import { type Follower, follow, type ReplyRecord } from '../follow.js';
import { makePeople, type Person, postMessage } from '../people.js';
import type { BenchProcess } from '../stage/process.js';
import type { Stage, Web } from '../stage/stage.js';

/** Two workers, a web process, and people who watch the replies that they ask for. */
export type Players = {
  stage: Stage;
  web: Web;
  workers: BenchProcess[];
  startWorker: () => Promise<BenchProcess>;
  readers: Reader[];
  /** Ids of the replies that were asked for. */
  asked: string[];
};

type Reader = { person: Person; follower: Follower; next: number };

const people = 20;

/** Fewer than a socket may have rooms. */
const conversationsEach = 60;

/** Less than two seconds: most of those that were taken over have ended before the next kill. */
const tokens = 80;
const content = `[[stand-in: tokens=${tokens} rate=50]]`;
export const expectedText = Array.from({ length: tokens }, (_, index) => `t${index + 1}`).join(' ');

export async function startPlayers(stage: Stage): Promise<Players> {
  const provider = await stage.startProvider();
  const env = { ANTHROPIC_BASE_URL: provider.url };
  const web = await stage.startWeb(env);
  const startWorker = (): Promise<BenchProcess> => stage.startWorker(env);
  const workers = [await startWorker(), await startWorker()];
  const readers: Reader[] = [];
  for (const person of await makePeople(web.url, people, conversationsEach)) {
    readers.push({ person, follower: await follow(web.url, person.token, person.conversationIds), next: 0 });
  }
  return { stage, web, workers, startWorker, readers, asked: [] };
}

/** Asks for replies of different people, each in a conversation that has none yet, and waits until all of them stream. */
export async function askForReplies(players: Players, count: number): Promise<void> {
  const { readers, web, asked } = players;
  const batch = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const reader = readers[(asked.length + index) % readers.length] as Reader;
      const conversationId = reader.person.conversationIds[reader.next] ?? '';
      reader.next += 1;
      return (await postMessage(web.url, reader.person.token, conversationId, content)).replyId;
    }),
  );
  asked.push(...batch);
  const streams = (id: string): boolean => (recordOf(players, id)?.deltas.length ?? 0) >= 3;
  await waitFor(() => batch.every(streams), 60_000, 'replies to begin');
}

export function recordOf({ readers }: Players, replyId: string): ReplyRecord | undefined {
  for (const { follower } of readers) {
    const record = follower.replies.get(replyId);
    if (record) return record;
  }
  return undefined;
}

/** Waits for the end of replies; what has not ended after a while is found later. */
export async function untilEnded(players: Players, replyIds: readonly string[]): Promise<void> {
  const ended = (id: string): boolean => (recordOf(players, id)?.ends.length ?? 0) > 0;
  await waitFor(() => replyIds.every(ended), 90_000, 'the end of replies').catch((error: Error) =>
    players.stage.say(error.message),
  );
}
