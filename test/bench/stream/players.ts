import { makePeople, openConversations, type Person } from '../people.js';
import type { ReadOrder, Reader, ReadReport } from '../processes/readers.js';
import type { SdkOrder } from '../processes/sdk-reader.js';
import type { BenchProcess } from '../stage/process.js';
import type { Stage, Web } from '../stage/stage.js';
import { median } from '../statistics.js';
import type { TokenDelays } from './delays.js';

/** Everything that takes part, each in a process of its own. */
export type Players = {
  provider: BenchProcess & { url: string };
  sdk: BenchProcess;
  worker: BenchProcess;
  webs: Web[];
  readers: BenchProcess;
  people: Person[];
};

/** What one reading found; processor time is that of the process that talks to the provider, per token. */
export type SdkReading = TokenDelays & { cpuUs: number };
export type Reading = ReadReport & {
  cpuUs: number;
  webCpuUs: number;
  readersCpuUs: number;
  /**
   * How much of the pace that was asked for the provider could keep: it waits for readers who are behind, and what it
   * has not sent is not late.
   */
  paceKept: number;
};

/** Tokens per second of each reply. */
export const pace = 50;
const spreadMs = 4_000;

/** The default of REPLIES_PER_USER. */
const repliesPerUser = 5;

/** @param most the most replies that will be asked for at once. */
export async function startPlayers(stage: Stage, most: number): Promise<Players> {
  const provider = await stage.startProvider();
  const env = { ANTHROPIC_BASE_URL: provider.url, REPLIES_CONCURRENCY: '2000' };
  const webs = [await stage.startWeb(env), await stage.startWeb(env)];
  const people = await makePeople(webs[0]?.url ?? '', Math.ceil(most / repliesPerUser), 0);
  return {
    provider,
    webs,
    people,
    sdk: await stage.startHelper('sdk-reader'),
    worker: await stage.startWorker(env),
    readers: await stage.startHelper('readers'),
  };
}

const contentOf = (tokens: number): string => `[[stand-in: timestamps tokens=${tokens} rate=${pace}]]`;

export async function readWithSdk({ provider, sdk }: Players, streams: number, tokens: number): Promise<SdkReading> {
  const order: SdkOrder = { providerUrl: provider.url, streams, content: contentOf(tokens), spreadMs };
  const before = await sdk.cpuMs();
  const delays = await sdk.ask<TokenDelays>('read', order);
  return { ...delays, cpuUs: (1_000 * ((await sdk.cpuMs()) - before)) / delays.every.length };
}

/** Each reply in a conversation that begins with it, half of the readers at each web process. */
export async function readWithMillrace(players: Players, replies: number, tokens: number): Promise<Reading> {
  const { webs, worker } = players;
  const readers = await makeReaders(players, replies);
  const limitMs = (tokens / pace) * 1_000 + 30_000;
  const order: ReadOrder = { readers, content: contentOf(tokens), spreadMs, limitMs };
  const used = (): Promise<number[]> => Promise.all([worker, ...webs, players.readers].map((each) => each.cpuMs()));
  const before = await used();
  const report = await players.readers.ask<ReadReport>('read', order);
  const [workerMs = 0, web1Ms = 0, web2Ms = 0, readersMs = 0] = (await used()).map((ms, i) => ms - (before[i] ?? 0));
  const count = report.every.length;
  if (count !== replies * tokens) report.problems.push(`${count} of ${replies * tokens} tokens came`);
  const perToken = (ms: number): number => (1_000 * ms) / count;
  return {
    ...report,
    cpuUs: perToken(workerMs),
    webCpuUs: perToken(web1Ms + web2Ms),
    readersCpuUs: perToken(readersMs),
    paceKept: ((tokens - 1) / pace) * (1_000 / median(report.spans)),
  };
}

async function makeReaders({ webs, people }: Players, count: number): Promise<Reader[]> {
  const readers = await Promise.all(
    people.map(async ({ token }, index) => {
      const webUrl = webs[index % webs.length]?.url ?? '';
      const ids = await openConversations(webUrl, token, Math.min(repliesPerUser, count - index * repliesPerUser));
      return ids.map((conversationId) => ({ webUrl, token, conversationId }));
    }),
  );
  return readers.flat();
}
