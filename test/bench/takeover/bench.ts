import type { Bench } from '../bench.js';
import { epochMs } from '../clock.js';
import { problemsOf } from '../follow.js';
import type { Figure } from '../report.js';
import { waitForQuiet } from '../stage/quiet.js';
import { percentile } from '../statistics.js';
import { askForReplies, expectedText, type Players, recordOf, startPlayers, untilEnded } from './players.js';
import { type Takeover, takeoversOf } from './takeovers.js';

const kills = 50;

/** Asked for before each kill, so that some stream on either worker. */
const repliesEach = 6;

type Signal = 'SIGKILL' | 'SIGTERM';

/** A worker of two goes away in mid-stream, again and again: how long readers wait, and what becomes of the replies. */
export const takeover: Bench = {
  about: 'what happens to replies when their worker is killed or told to stop',
  async run(stage) {
    const players = await startPlayers(stage);
    await waitForQuiet(stage.say);
    await askForReplies(players, repliesEach);
    const killed = await killAgainAndAgain(players, 'SIGKILL');
    const stopped = await killAgainAndAgain(players, 'SIGTERM');
    const problems = [...heardProblems(players), ...(await storedProblems(players))];
    problems.slice(0, 20).forEach(stage.say);

    const p95 = (takeovers: Takeover[]): number =>
      percentile(
        takeovers.map(({ delayMs }) => delayMs),
        95,
      ) / 1_000;
    return {
      figures: [
        { name: 'replies asked for', value: players.asked.length, unit: '' },
        ...figures('SIGKILL', killed),
        ...figures('SIGTERM', stopped),
      ],
      targets: [
        { name: 'from SIGKILL to the next delta p95', value: p95(killed), unit: 's', relation: '<', limit: 8 },
        { name: 'from SIGTERM to the next delta p95', value: p95(stopped), unit: 's', relation: '<', limit: 2 },
        { name: 'workers killed in mid-stream', value: hits(killed), unit: '', relation: '≥', limit: kills },
        { name: 'workers stopped in mid-stream', value: hits(stopped), unit: '', relation: '≥', limit: kills },
        { name: 'replies that did not end done once', value: problems.length, unit: '', relation: '≤', limit: 0 },
      ],
    };
  },
};

/** How many of the kills hit a reply that was streaming. */
const hits = (takeovers: readonly Takeover[]): number => new Set(takeovers.map(({ kill }) => kill)).size;

async function killAgainAndAgain(players: Players, signal: Signal): Promise<Takeover[]> {
  const { stage, workers, startWorker, asked } = players;
  const first = asked.length;
  const times: number[] = [];
  let takeovers: Takeover[] = [];
  // Once in a while all replies are on the other worker: such a kill is repeated.
  for (let missing = kills; missing > 0 && times.length < 2 * kills; missing = kills - hits(takeovers)) {
    for (let count = 0; count < missing; count += 1) {
      // The takeovers of one kill overlap with the next one; a reply is not hit again and again.
      await untilEnded(players, asked.slice(0, -repliesEach));
      await askForReplies(players, repliesEach);
      const index = times.length % workers.length;
      times.push(epochMs());
      await workers[index]?.end(signal);
      workers[index] = await startWorker();
      if (times.length % 10 === 0) stage.say(`${signal} ${times.length}`);
    }
    await untilEnded(players, asked);
    takeovers = asked.slice(first).flatMap((id) => {
      const record = recordOf(players, id);
      return record ? takeoversOf(record, times) : [];
    });
  }
  return takeovers;
}

function figures(signal: Signal, takeovers: readonly Takeover[]): Figure[] {
  const delays = takeovers.map(({ delayMs }) => delayMs / 1_000);
  return [
    { name: `${signal}: replies taken over`, value: takeovers.length, unit: '' },
    { name: `${signal}: next delta after p50`, value: percentile(delays, 50), unit: 's' },
    { name: `${signal}: next delta after p95`, value: percentile(delays, 95), unit: 's' },
    { name: `${signal}: next delta after at most`, value: percentile(delays, 100), unit: 's' },
  ];
}

function heardProblems(players: Players): string[] {
  const ofReplies = players.asked.flatMap((id) => {
    const record = recordOf(players, id);
    return record ? problemsOf(record).map((problem) => `${id}: ${problem}`) : [`${id}: nothing was heard of it`];
  });
  return [...ofReplies, ...players.readers.flatMap(({ follower }) => follower.interruptions)];
}

/** What Postgres has must be one message and one finished reply for each that was posted, with the whole text. */
async function storedProblems({ stage, asked }: Players): Promise<string[]> {
  const { rows: replies } = await stage.sql.query<{ id: string; state: string; content: string }>(
    `SELECT id, state, content FROM messages WHERE role = 'assistant'`,
  );
  const { rows: counts } = await stage.sql.query<{ messages: number; unfinished: number }>(
    `SELECT (SELECT count(*)::int FROM messages) AS messages,
      (SELECT count(*)::int FROM jobs WHERE kind = 'reply-to-message' AND state <> 'done') AS unfinished`,
  );
  const wrong = replies
    .filter(({ state, content }) => state !== 'done' || content !== expectedText)
    .map(({ id, state, content }) => `${id} is stored as ${state} with ${content.length} characters`);
  if (counts[0]?.messages !== 2 * asked.length) wrong.push(`${counts[0]?.messages} messages are stored`);
  if (counts[0]?.unfinished !== 0) wrong.push(`${counts[0]?.unfinished} jobs are not done`);
  return wrong;
}
