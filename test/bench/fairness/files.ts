import { untilIndexed } from '../knowledge/progress.js';
import { uploadFile } from '../knowledge/entries.js';
import { startKnowledge } from '../knowledge/setting.js';
import type { Figure, Result } from '../report.js';
import { severalAtOnce } from '../several.js';
import { waitForQuiet } from '../stage/quiet.js';
import type { Stage } from '../stage/stage.js';
import { percentile } from '../statistics.js';
import { type FileWaits, smallFile, uploadSingleFiles } from './single-files.js';

const many = 2_000;
const idleSamples = 100;
const uploadsAtOnce = 4;
/** A wait of this is not felt as one, whatever the idle one is. */
const graceMs = 200;

/** One user uploads many files, on one web and one worker process; another one's single files must go on as if alone. */
export async function measureFiles(stage: Stage): Promise<Result> {
  const setting = await startKnowledge(stage, { authors: 2 });
  const [heavy, single] = setting.authors;
  if (!heavy || !single) throw new Error('There are no people.');
  await waitForQuiet(stage.say);
  await uploadSingleFiles(setting, single, 1_000_000, (done) => done < 20);
  const idle = await uploadSingleFiles(setting, single, 2_000_000, (done) => done < idleSamples);
  stage.say(`alone: a file is ready after ${percentile(idle.ready, 95).toFixed(0)} ms (p95)`);

  const startedAt = performance.now();
  let busy = true;
  const uploading = severalAtOnce(
    Array.from({ length: many }, (_, index) => index),
    uploadsAtOnce,
    (seed) => uploadFile(setting.web, heavy, smallFile(seed)),
  )
    .then(() => {
      stage.say(`${many} files accepted in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
      return untilIndexed(stage, heavy.userId);
    })
    .finally(() => (busy = false));
  const [beside] = await Promise.all([uploadSingleFiles(setting, single, 3_000_000, () => busy), uploading]);
  const seconds = (performance.now() - startedAt) / 1_000;
  await untilIndexed(stage);
  // Nobody else's jobs are for these processes.
  await Promise.all([setting.web.end('SIGTERM'), setting.worker.end('SIGTERM')]);
  const idleP95 = percentile(idle.ready, 95);
  return {
    figures: [
      ...describe('files, alone', idle),
      ...describe(`files, beside ${many}`, beside),
      { name: `files, beside ${many}: all ready after`, value: seconds, unit: 's' },
    ],
    targets: [
      {
        name: `a file beside ${many}: p95`,
        value: percentile(beside.ready, 95),
        unit: 'ms',
        relation: '≤',
        limit: Math.max(2 * idleP95, idleP95 + graceMs),
      },
    ],
  };
}

const describe = (name: string, { ready, queued }: FileWaits): Figure[] => [
  { name: `${name}: samples`, value: ready.length, unit: '' },
  { name: `${name}: from 202 to ready p50`, value: percentile(ready, 50), unit: 'ms' },
  { name: `${name}: from 202 to ready p95`, value: percentile(ready, 95), unit: 'ms' },
  { name: `${name}: of it in queues p50`, value: percentile(queued, 50), unit: 'ms' },
  { name: `${name}: of it in queues p95`, value: percentile(queued, 95), unit: 'ms' },
];
