import type { Bench } from '../bench.js';
import { makePeople } from '../people.js';
import type { Line, LoadOrder, LoadReport } from '../processes/load.js';
import type { Result } from '../report.js';
import type { BenchProcess } from '../stage/process.js';
import { waitForQuiet } from '../stage/quiet.js';
import type { Stage } from '../stage/stage.js';
import { median, percentile } from '../statistics.js';
import { messages } from './text.js';

const users = 50;
const poolSize = '20';
const rounds = 6;
const warmUpMs = 4_000;
const roundMs = 8_000;

/** One of the two servers that are compared. */
type Side = { process: BenchProcess; lines: Line[]; rounds: Round[] };
type Round = { perSecond: number; p50: number; p99: number; cpuMsPerRequest: number };

/**
 * POST of a message until its 202: the whole path of one web process with dispatch on and no workers, against a
 * bare handler on the same Postgres and Redis, in turn.
 */
export const accept: Bench = {
  about: 'how fast messages are accepted, against a bare Express handler',
  async run(stage) {
    const load = await stage.startHelper('load');
    const ours = await startOurs(stage);
    const bare = await startBare(stage);
    for (const side of [ours, bare]) await run(load, side, warmUpMs);
    for (let round = 1; round <= rounds; round += 1) {
      await waitForQuiet(stage.say);
      // The one that goes first in one round goes last in the next.
      for (const side of round % 2 ? [ours, bare] : [bare, ours]) side.rounds.push(await run(load, side, roundMs));
      stage.say(`round ${round} of ${rounds}: ${describe(ours)} against ${describe(bare)} a second`);
    }
    return judge(ours, bare);
  },
};

const describe = ({ rounds }: Side): string => String(Math.round(rounds.at(-1)?.perSecond ?? NaN));

async function startOurs(stage: Stage): Promise<Side> {
  const web = await stage.startWeb({ MAX_POOL_SIZE: poolSize });
  const people = await makePeople(web.url, users);
  const lines = people.map(({ token, conversationIds }) => ({
    token,
    urls: conversationIds.map((id) => `${web.url}/api/v1/conversations/${id}/messages`),
  }));
  return { process: web, lines, rounds: [] };
}

/** The tables are copies of ours, with their indexes, checks and generated columns. */
async function startBare(stage: Stage): Promise<Side> {
  for (const [copy, table] of Object.entries({ messages: 'messages', replies: 'messages', jobs: 'jobs' })) {
    await stage.sql.query(`CREATE TABLE bare_${copy} (LIKE ${table} INCLUDING ALL)`);
  }
  const { rows } = await stage.sql.query<{ id: string }>('SELECT id FROM conversations');
  const server = await stage.startHelper('bare-server', {
    DATABASE_URL: stage.databaseUrl,
    REDIS_URL: stage.redisUrl,
    MAX_POOL_SIZE: poolSize,
  });
  const url = String(server.ready.url);
  const lines = rows.map(({ id }) => ({ token: null, urls: [`${url}/conversations/${id}/messages`] }));
  return { process: server, lines, rounds: [] };
}

async function run(load: BenchProcess, { process, lines }: Side, ms: number): Promise<Round> {
  const before = await process.cpuMs();
  const order: LoadOrder = { lines, contents: messages, until: { ms } };
  const { latencies, elapsedMs, refused } = await load.ask<LoadReport>('load', order);
  if (Object.keys(refused).length > 0) throw new Error(`Not every message was accepted: ${JSON.stringify(refused)}`);
  return {
    perSecond: latencies.length / (elapsedMs / 1000),
    p50: percentile(latencies, 50),
    p99: percentile(latencies, 99),
    cpuMsPerRequest: ((await process.cpuMs()) - before) / latencies.length,
  };
}

function judge(ours: Side, bare: Side): Result {
  const of = (side: Side, key: keyof Round): number => median(side.rounds.map((round) => round[key]));
  const throughput = of(ours, 'perSecond') / of(bare, 'perSecond');
  const tail = of(ours, 'p99') / of(bare, 'p99');
  const figures = ([side, name]: [Side, string]) => [
    { name: `${name}: accepted`, value: Math.round(of(side, 'perSecond')), unit: 'messages/s' },
    { name: `${name}: p50`, value: of(side, 'p50'), unit: 'ms' },
    { name: `${name}: p99`, value: of(side, 'p99'), unit: 'ms' },
    { name: `${name}: processor time`, value: of(side, 'cpuMsPerRequest'), unit: 'ms/message' },
  ];
  return {
    figures: [...figures([ours, 'Millrace']), ...figures([bare, 'bare handler'])],
    targets: [
      { name: 'throughput', value: throughput, unit: 'of the bare handler', relation: '≥', limit: 0.6 },
      { name: 'p99', value: tail, unit: 'of the bare handler', relation: '<', limit: 3 },
    ],
  };
}
