import path from 'node:path';
import type { Bench } from '../bench.js';
import { epochMs } from '../clock.js';
import { uploadFile } from '../knowledge/entries.js';
import { settledVersions, untilIndexed } from '../knowledge/progress.js';
import { type KnowledgeSetting, startKnowledge } from '../knowledge/setting.js';
import type { IngestOrder, IngestReport } from '../processes/bare-ingester.js';
import type { Result } from '../report.js';
import { severalAtOnce } from '../several.js';
import type { BenchProcess } from '../stage/process.js';
import { waitForQuiet } from '../stage/quiet.js';
import { median } from '../statistics.js';
import { type BenchFile, makeFiles, readFiles } from './files.js';

const rounds = 4;
const uploadsAtOnce = 4;
/** Files that one user's jobs read at once, unless an operator says otherwise: the loop does as many. */
const readAtOnce = 2;

type Round = { chunks: number; seconds: number; cpuMsPerChunk: number };

/**
 * Files from their upload until they can be searched, by one web and one worker process, against a loop that does
 * the same extraction, embedding and upserts with the same batches and vector server, without queue or database.
 */
export const ingest: Bench = {
  about: 'how fast files become searchable, against a bare loop; --data FOLDER takes the files of a folder',
  async run(stage, { data }) {
    const setting = await startKnowledge(stage);
    const bare = await stage.startHelper('bare-ingester', {
      ...setting.env,
      QDRANT_COLLECTION: `${setting.vectors.collection}_bare`,
      DATABASE_URL: stage.databaseUrl,
      REDIS_URL: stage.redisUrl,
      JWT_SECRET: 'not used by a loop that knows of no users',
      ANTHROPIC_API_KEY: 'not used',
    });
    await waitForQuiet(stage.say);
    const folder = path.join(stage.folder, 'files');
    // The first round warms up.
    const own = data === undefined ? null : await readFiles(data);
    const ours: Round[] = [];
    const theirs: Round[] = [];
    for (let round = 0; round <= (own ? 1 : rounds); round += 1) {
      const files = own && round > 0 ? own : await makeFiles(folder, round + 1);
      const both = [
        async () => void ours.push(await runPipeline(setting, files)),
        async () => void theirs.push(await runLoop(bare, files)),
      ];
      for (const run of round % 2 ? both : both.toReversed()) await run();
      const [a, b] = [ours.at(-1), theirs.at(-1)].map((last) => (last ? perSecond(last).toFixed(0) : ''));
      stage.say(
        `${round === 0 ? 'warm-up' : `round ${round}`}: ${ours.at(-1)?.chunks} chunks, ${a} against ${b} a second`,
      );
    }
    return judge(ours.slice(1), theirs.slice(1));
  },
};

const perSecond = ({ chunks, seconds }: Round): number => chunks / seconds;

async function runPipeline({ stage, web, worker, authors }: KnowledgeSetting, files: BenchFile[]): Promise<Round> {
  const [author] = authors;
  if (!author) throw new Error('There is no author.');
  const cpuMs = async (): Promise<number> => (await web.cpuMs()) + (await worker.cpuMs());
  const before = await cpuMs();
  const startedAt = epochMs();
  const uploaded = await severalAtOnce(files, uploadsAtOnce, (file) => uploadFile(web, author, file));
  await untilIndexed(stage);
  const settled = await settledVersions(stage);
  const own = uploaded.flatMap(({ versionId }) => settled.get(versionId) ?? []);
  const ready = own.filter(({ ready }) => ready);
  const chunks = ready.reduce((sum, version) => sum + version.chunks, 0);
  const seconds = (Math.max(...ready.map(({ readyAt }) => readyAt)) - startedAt) / 1000;
  return { chunks, seconds, cpuMsPerChunk: ((await cpuMs()) - before) / chunks };
}

async function runLoop(bare: BenchProcess, files: BenchFile[]): Promise<Round> {
  const before = await bare.cpuMs();
  const order: IngestOrder = { files: files.map(({ path: file, name }) => ({ path: file, name })), atOnce: readAtOnce };
  const { chunks, elapsedMs } = await bare.ask<IngestReport>('ingest', order);
  return { chunks, seconds: elapsedMs / 1000, cpuMsPerChunk: ((await bare.cpuMs()) - before) / chunks };
}

function judge(ours: Round[], theirs: Round[]): Result {
  const of = (found: Round[], value: (round: Round) => number): number => median(found.map(value));
  return {
    figures: [
      { name: 'chunks of a round', value: of(ours, ({ chunks }) => chunks), unit: '' },
      { name: 'Millrace: searchable', value: of(ours, perSecond), unit: 'chunks/s' },
      {
        name: 'Millrace: processor time of web and worker',
        value: of(ours, (round) => round.cpuMsPerChunk),
        unit: 'ms/chunk',
      },
      { name: 'bare loop: searchable', value: of(theirs, perSecond), unit: 'chunks/s' },
      { name: 'bare loop: processor time', value: of(theirs, (round) => round.cpuMsPerChunk), unit: 'ms/chunk' },
    ],
    targets: [
      {
        name: 'throughput',
        value: median(ours.map((round, index) => perSecond(round) / perSecond(theirs[index] as Round))),
        unit: 'of the bare loop',
        relation: '≥',
        limit: 0.7,
      },
    ],
  };
}
