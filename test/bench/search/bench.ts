import { createFeatureHashingEmbedder } from '../../../shared/adapters/embedder/feature-hashing.js';
import { toQueryRequest } from '../../../shared/adapters/vector-store/query.js';
import { hitFields, passageFilter, surplus } from '../../../shared/knowledge/search.js';
import { queryVector } from '../../../shared/knowledge/ranking/bm25.js';
import type { Bench } from '../bench.js';
import { residentBytes } from '../files/memory.js';
import { approveEntry, uploadFile } from '../knowledge/entries.js';
import { madeQuery, madeText, randomOf } from '../knowledge/made-text.js';
import { settledVersions, untilIndexed, untilQuiet } from '../knowledge/progress.js';
import { type KnowledgeSetting, startKnowledge } from '../knowledge/setting.js';
import { getRequest, postRequest } from '../processes/http-connection.js';
import type { RequestsOrder, RequestsReport } from '../processes/requests.js';
import type { Figure, Result } from '../report.js';
import { severalAtOnce } from '../several.js';
import type { BenchProcess } from '../stage/process.js';
import { waitForQuiet } from '../stage/quiet.js';
import { median, percentile } from '../statistics.js';

const files = 200;
const chunks = 10_000;
/** So many characters a file make the chunks. */
const charactersEach = 52_000;
const uploadsAtOnce = 4;
const rounds = 5;
/** Clients at once, what they may wait longer than for the bare query, and how many searches a round has. */
const crowds = [
  { clients: 1, limitMs: 10, searches: 150 },
  { clients: 20, limitMs: 30, searches: 600 },
] as const;

/** Of the web process, in MiB. */
const residentLimit = 250;

/** As a search without parameters asks for, which answers ten hits. */
const hitsAsked = 10 * surplus;

type Round = { p50: number; p95: number; perSecond: number; cpuMs: { web: number; vectors: number } };
type Side = 'endpoint' | 'bare query';

/**
 * What GET /knowledge/search takes with 10,000 chunks, against the vector query alone: the same vectors, filter and
 * number of hits, sent straight to the vector server by as many clients, in turn.
 */
export const search: Bench = {
  about: 'what a search takes, against the bare vector query',
  async run(stage) {
    // With an embeddings API each search would pay for its query, which no code of ours makes faster.
    const setting = await startKnowledge(stage, { env: { EMBEDDING_URL: '' } });
    const stored = await fill(setting);
    stage.say(`${stored} chunks can be searched`);
    if (stored < chunks) throw new Error(`There are ${stored} chunks only.`);
    const sender = await stage.startHelper('requests');
    await waitForQuiet(stage.say);
    await measure(setting, sender, 'endpoint', { clients: 5, searches: 200, seed: 1 });
    const figures: Figure[] = [{ name: 'chunks', value: stored, unit: '' }];
    const targets: Result['targets'] = [];
    let resident = 0;
    for (const { clients, limitMs, searches } of crowds) {
      const found: Record<Side, Round[]> = { endpoint: [], 'bare query': [] };
      for (let round = 1; round <= rounds; round += 1) {
        const order = { clients, searches, seed: 100 * clients + round };
        for (const side of round % 2 ? sides : sides.toReversed()) {
          found[side].push(await measure(setting, sender, side, order));
          resident = Math.max(resident, await residentBytes(setting.web.pid));
        }
        const [ours, bare] = sides.map((side) => found[side].at(-1)?.p50.toFixed(1));
        stage.say(`${clients} at once, round ${round} of ${rounds}: ${ours} ms against ${bare} ms`);
      }
      figures.push(...sides.flatMap((side) => describe(`${side}, ${clients} at once`, found[side])));
      const [ours, bare] = sides.map((side) => median(found[side].map(({ p50 }) => p50))) as [number, number];
      targets.push({ name: `added for ${clients}`, value: ours - bare, unit: 'ms', relation: '≤', limit: limitMs });
    }
    targets.push({ name: 'web resident', value: resident / 2 ** 20, unit: 'MiB', relation: '<', limit: residentLimit });
    return { figures, targets };
  },
};

const sides = ['endpoint', 'bare query'] as const satisfies Side[];

/** @returns how many chunks everybody may read now. */
async function fill({ stage, web, admin, authors }: KnowledgeSetting): Promise<number> {
  const [author = admin] = authors;
  const seeds = Array.from({ length: files }, (_, index) => index + 1);
  const entries = await severalAtOnce(seeds, uploadsAtOnce, (seed) =>
    uploadFile(web, author, { name: `${seed}.md`, bytes: Buffer.from(madeText(seed, charactersEach)) }),
  );
  await untilIndexed(stage);
  await severalAtOnce(entries, uploadsAtOnce, ({ id }) => approveEntry(web, admin, id));
  await untilQuiet(stage);
  return [...(await settledVersions(stage)).values()].reduce(
    (sum, { ready, chunks: own }) => sum + (ready ? own : 0),
    0,
  );
}

type Order = { clients: number; searches: number; seed: number };

async function measure(setting: KnowledgeSetting, sender: BenchProcess, side: Side, order: Order): Promise<Round> {
  const random = randomOf(order.seed);
  const queries = Array.from({ length: order.searches }, () => madeQuery(random));
  const { web, vectors } = setting;
  const request: RequestsOrder = {
    url: side === 'endpoint' ? web.url : vectors.url,
    requests:
      side === 'endpoint' ? queries.map((query) => searchOf(setting, query)) : await bareQueries(setting, queries),
    connections: order.clients,
  };
  const cpu = async () => ({ web: await web.cpuMs(), vectors: (await vectors.cpuMs()) ?? NaN });
  const before = await cpu();
  const { latencies, elapsedMs, refused } = await sender.ask<RequestsReport>('send', request);
  const after = await cpu();
  if (Object.keys(refused).length > 0) throw new Error(`Not every search was answered: ${JSON.stringify(refused)}`);
  return {
    p50: percentile(latencies, 50),
    p95: percentile(latencies, 95),
    perSecond: latencies.length / (elapsedMs / 1000),
    cpuMs: {
      web: (after.web - before.web) / latencies.length,
      vectors: (after.vectors - before.vectors) / latencies.length,
    },
  };
}

function searchOf({ web, reader }: KnowledgeSetting, query: string): Buffer {
  return getRequest(`${web.url}/api/v1/knowledge/search?${new URLSearchParams({ q: query }).toString()}`, reader.token);
}

/** What the endpoint sends to the vector server for these queries. */
async function bareQueries({ vectors, reader, env }: KnowledgeSetting, queries: string[]): Promise<Buffer[]> {
  const embedder = createFeatureHashingEmbedder(Number(env.QDRANT_VECTOR_SIZE ?? 1_536));
  const dense = await embedder.embed(queries, 'query', new AbortController().signal);
  const filter = passageFilter([{ userId: reader.userId, role: 'regular' }], {});
  const { fusion } = embedder;
  return queries.map((query, index) =>
    postRequest(
      `${vectors.url}/collections/${vectors.collection}/points/query`,
      null,
      toQueryRequest({
        dense: dense[index],
        sparse: queryVector(query),
        fusion,
        filter,
        limit: hitsAsked,
        fields: hitFields,
      }),
      vectors.apiKey ? { 'api-key': vectors.apiKey } : {},
    ),
  );
}

function describe(name: string, found: Round[]): Figure[] {
  const of = (value: (round: Round) => number): number => median(found.map(value));
  return [
    { name: `${name}: p50`, value: of(({ p50 }) => p50), unit: 'ms' },
    { name: `${name}: p95`, value: of(({ p95 }) => p95), unit: 'ms' },
    { name: `${name}: answered`, value: of(({ perSecond }) => perSecond), unit: '/s' },
    ...(name.startsWith('endpoint')
      ? [{ name: `${name}: processor time of the web process`, value: of(({ cpuMs }) => cpuMs.web), unit: 'ms/search' }]
      : []),
    {
      name: `${name}: processor time of the vector server`,
      value: of(({ cpuMs }) => cpuMs.vectors),
      unit: 'ms/search',
    },
  ];
}
