import type { Bench } from '../bench.js';
import { follow } from '../follow.js';
import { makePeople, openConversations, type Person } from '../people.js';
import type { LoadOrder, LoadReport } from '../processes/load.js';
import type { Figure, Result } from '../report.js';
import type { BenchProcess } from '../stage/process.js';
import { waitForQuiet } from '../stage/quiet.js';
import type { Stage } from '../stage/stage.js';
import { percentile } from '../statistics.js';
import { manyMark } from './marks.js';
import { measureFiles } from './files.js';
import { watchActive } from './running-replies.js';
import { postSingleMessages, type Waits } from './single-messages.js';

const many = 2_000;
const repliesPerUser = 5;
/** Every one of these dispatches: ten in all. */
const webs = 4;
const workers = 6;
const idleSamples = 150;
const singleConversations = 20;
const postersAtOnce = 8;

type Players = {
  stage: Stage;
  webUrls: string[];
  load: BenchProcess;
  provider: BenchProcess;
  heavy: Person;
  single: Parameters<typeof postSingleMessages>[0];
};

/** What the replies of the one did to the single messages of the other, and whether they kept to their limit. */
type Phase = { name: string; waits: Waits; mostActive: number; mostOpen: number; seconds: number };

/** One user has much to do; what another one asks for must go on as if alone. */
export const fairness: Bench = {
  about: "how long one user waits for another's many files and many replies; --files, --replies for one of them",
  async run(stage, { files = false, replies = false }) {
    // The files first: their processes are ended before those begin that know of no vector store.
    const results = [
      ...(files || !replies ? [await measureFiles(stage)] : []),
      ...(replies || !files ? [await measureReplies(stage)] : []),
    ];
    return {
      figures: results.flatMap(({ figures }) => figures),
      targets: results.flatMap(({ targets }) => targets),
    };
  },
};

/** One user puts many replies on; another one's single messages must start as if alone. */
async function measureReplies(stage: Stage): Promise<Result> {
  const players = await startPlayers(stage);
  await waitForQuiet(stage.say);
  await postSingleMessages(players.single, (done) => done < 20);
  const idle = await postSingleMessages(players.single, (done) => done < idleSamples);
  stage.say(`alone: wait p95 ${percentile(idle.seen, 95).toFixed(1)} ms`);
  const { token } = players.heavy;
  const phases: Phase[] = [];
  for (const conversations of [many, 8]) {
    const ids = await openConversations(players.webUrls[0] ?? '', token, conversations);
    const phase = await runPhase(players, `in ${conversations} conversations`, ids);
    stage.say(
      `${phase.name}: wait p95 ${percentile(phase.waits.seen, 95).toFixed(1)} ms, ${phase.seconds.toFixed(0)} s`,
    );
    phases.push(phase);
  }
  return judge(idle, phases);
}

async function startPlayers(stage: Stage): Promise<Players> {
  const provider = await stage.startHelper('counting-provider');
  const env = {
    ANTHROPIC_BASE_URL: String(provider.ready.url),
    REPLIES_PER_USER: String(repliesPerUser),
    MAX_POOL_SIZE: '10',
  };
  const webUrls: string[] = [];
  for (let count = 0; count < webs; count += 1) webUrls.push((await stage.startWeb(env)).url);
  for (let count = 0; count < workers; count += 1) await stage.startWorker(env);
  const [first = ''] = webUrls;
  const [heavy, person] = await makePeople(first, 2, 0);
  if (!heavy || !person) throw new Error('There are no people.');
  person.conversationIds = await openConversations(first, person.token, singleConversations);
  const follower = await follow(first, person.token, person.conversationIds);
  const single = { person, follower, webUrls, sql: stage.sql };
  return { stage, webUrls, provider, heavy, single, load: await stage.startHelper('load') };
}

/** Posts all messages as fast as they are accepted, over all web processes, and goes on until the last reply has ended. */
async function runPhase(players: Players, name: string, conversationIds: string[]): Promise<Phase> {
  const { stage, webUrls, provider, heavy, load } = players;
  await provider.ask('reset');
  const watch = watchActive(stage.sql, heavy.userId);
  const startedAt = performance.now();
  let posted = false;
  const posting = load.ask<LoadReport>('load', order(webUrls, heavy.token, conversationIds)).then((report) => {
    if (report.latencies.length !== many) throw new Error(`Not all were accepted: ${JSON.stringify(report.refused)}`);
    posted = true;
    stage.say(`${name}: ${many} accepted in ${(report.elapsedMs / 1_000).toFixed(1)} s`);
  });
  const singles = postSingleMessages(players.single, () => !posted || watch.busy());
  const [waits] = await Promise.all([singles, posting]);
  await watch.stop();
  const seconds = (performance.now() - startedAt) / 1_000;
  const mostOpen = await provider.ask<number>('mostOpen');
  return { name, waits, mostActive: watch.most(), mostOpen, seconds };
}

function order(webUrls: string[], token: string, conversationIds: string[]): LoadOrder {
  const lines = Array.from({ length: postersAtOnce }, (_, index) => ({
    token,
    urls: conversationIds
      .filter((_id, place) => place % postersAtOnce === index)
      .map((id) => `${webUrls[index % webUrls.length]}/api/v1/conversations/${id}/messages`),
  }));
  return { lines, contents: [manyMark], until: { requests: many / postersAtOnce } };
}

function judge(idle: Waits, phases: readonly Phase[]): Result {
  const idleP95 = percentile(idle.seen, 95);
  const limit = Math.max(2 * idleP95, 50);
  return {
    figures: [
      ...waitFigures('alone', idle),
      ...phases.flatMap(({ name, waits, mostActive, mostOpen, seconds }) => [
        ...waitFigures(name, waits),
        { name: `${name}: queued and running at most`, value: mostActive, unit: '' },
        { name: `${name}: open at the provider at most`, value: mostOpen, unit: '' },
        { name: `${name}: all ${many} done after`, value: seconds, unit: 's' },
      ]),
    ],
    targets: [
      ...phases.map(({ name, waits }) => ({
        name: `${name}: wait p95`,
        value: percentile(waits.seen, 95),
        unit: 'ms',
        relation: '≤' as const,
        limit,
      })),
      {
        name: 'replies of one user at once',
        value: Math.max(...phases.flatMap(({ mostActive, mostOpen }) => [mostActive, mostOpen])),
        unit: '',
        relation: '≤',
        limit: repliesPerUser,
      },
    ],
  };
}

const waitFigures = (name: string, { seen, stored }: Waits): Figure[] => [
  { name: `${name}: single messages`, value: seen.length, unit: '' },
  { name: `${name}: from POST to reply:started p50`, value: percentile(seen, 50), unit: 'ms' },
  { name: `${name}: from POST to reply:started p95`, value: percentile(seen, 95), unit: 'ms' },
  { name: `${name}: from accepted to claimed p95`, value: percentile(stored, 95), unit: 'ms' },
];
