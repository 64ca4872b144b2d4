import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Bench } from '../bench.js';
import { waitFor } from '../clock.js';
import { type KnowledgeSetting, startKnowledge } from '../knowledge/setting.js';
import type { Target } from '../report.js';
import { greedyWorkbook, writeLongText } from './made-files.js';
import { watchMemory } from './memory.js';
import { problemOf, readSamples } from './samples.js';
import { endingOf, hits, upload } from './uploads.js';

const MiB = 1024 * 1024;
const longTextBytes = 100 * MiB;
const sampleLimitMs = 240_000;
const longTextLimitMs = 1_800_000;

/**
 * Files of many kinds at once, one that would take all memory, and a text of 100 MB, each to its end, with the
 * processes that production runs and no more memory than they may have.
 */
export const files: Bench = {
  about: 'what becomes of files of all kinds and of 100 MB of text, and the memory that takes (--data <folder>)',
  async run(stage, { data }) {
    const setting = await startKnowledge(stage);
    const memory = watchMemory({ web: setting.web.pid, worker: setting.worker.pid });
    const wrong = (data ? await readAll(setting, data) : 0) + (await readGreedy(setting));
    const long = await readLong(setting);
    await memory.stop();
    const { web, worker, parser } = memory.peaks;
    const resident = (name: string, bytes: number, limit: number): Target => ({
      name: `${name} resident`,
      value: bytes / MiB,
      unit: 'MiB',
      relation: '<',
      limit,
    });
    return {
      figures: [
        { name: '100 MB of text: chunks', value: long.chunks, unit: '' },
        { name: '100 MB of text: time', value: long.seconds, unit: 's' },
        { name: '100 MB of text: pace', value: long.chunks / long.seconds, unit: 'chunks/s' },
        {
          name: '100 MB of text: Postgres',
          value: long.storedBytes / longTextBytes,
          unit: 'bytes for each of the file',
        },
      ],
      targets: [
        { name: 'files that ended wrongly', value: wrong, unit: '', relation: '≤', limit: 0 },
        { name: '100 MB of text found', value: long.found, unit: 'of 1', relation: '≥', limit: 1 },
        resident('web', web, 250),
        resident('worker', worker, 500),
        resident('parser', parser, 700),
      ],
    };
  },
};

/** @returns how many ended otherwise than the manifest says. */
async function readAll(setting: KnowledgeSetting, folder: string): Promise<number> {
  const samples = await readSamples(folder);
  const uploads = [];
  for (const sample of samples) {
    const blob = await openAsBlob(path.join(folder, sample.file));
    uploads.push({ sample, entryId: await upload(setting, path.basename(sample.file), blob) });
  }
  let wrong = 0;
  for (const { sample, entryId } of uploads) {
    const problem = problemOf(sample, await endingOf(setting, entryId, sampleLimitMs));
    if (!problem) continue;
    wrong += 1;
    setting.stage.say(`${sample.file}: ${problem}`);
  }
  setting.stage.say(`${samples.length - wrong} of ${samples.length} files ended as they should`);
  return wrong;
}

/** @returns 1 when it did not end as it should. */
async function readGreedy(setting: KnowledgeSetting): Promise<number> {
  const entryId = await upload(setting, 'greedy.xlsx', new Blob([greedyWorkbook()]));
  const { state, error } = await endingOf(setting, entryId, sampleLimitMs);
  setting.stage.say(`the file that takes all memory ended as ${state}: ${error?.message ?? ''}`);
  return error?.code === 'out_of_memory' ? 0 : 1;
}

async function readLong(
  setting: KnowledgeSetting,
): Promise<{ chunks: number; seconds: number; storedBytes: number; found: number }> {
  const { stage } = setting;
  const file = path.join(stage.folder, 'long.txt');
  const lastWord = await writeLongText(file, longTextBytes);
  const storedBefore = await storedBytes(setting);
  const startedAt = performance.now();
  const entryId = await upload(setting, 'long.txt', await openAsBlob(file));
  stage.say(`${(await stat(file)).size} bytes uploaded in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  const { state, error } = await endingOf(setting, entryId, longTextLimitMs, (said) => stage.say(said));
  const seconds = (performance.now() - startedAt) / 1000;
  if (state !== 'ready') throw new Error(`The long text ended as ${state}: ${JSON.stringify(error)}`);
  await waitFor(async () => (await hits(setting, lastWord)) > 0, 5_000, 'the last word of the long text').catch(
    (problem: unknown) => stage.say(String(problem)),
  );
  const { rows } = await stage.sql.query<{ chunks: number }>(
    'SELECT chunk_count AS chunks FROM knowledge_versions WHERE entry_id = $1',
    [entryId],
  );
  return {
    chunks: rows[0]?.chunks ?? 0,
    seconds,
    storedBytes: (await storedBytes(setting)) - storedBefore,
    found: Math.min(1, await hits(setting, lastWord)),
  };
}

async function storedBytes({ stage }: KnowledgeSetting): Promise<number> {
  const { rows } = await stage.sql.query<{ bytes: string }>('SELECT pg_database_size(current_database()) AS bytes');
  return Number(rows[0]?.bytes);
}
