import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ReadTask } from '../../shared/knowledge/reading.js';
import { createLogger } from '../../shared/logger.js';
import type { WorkerContext } from '../context.js';
import type { JobRun } from '../handler.js';
import { createPacedOutage } from '../paced-outage.js';
import { readContent } from './read-content.js';

const version = { jobId: 'job', state: 'ingesting', embedded: [], indexed: [], chunks: 0 };

test('a content that cannot be opened is not told before the report of its beginning is out', async () => {
  const steps: string[] = [];
  let deliver = (): void => {};
  const ctx = {
    database: { query: () => Promise.resolve({ rows: [version], rowCount: 1 }) },
    storageOutage: createPacedOutage(createLogger({ level: 'silent', role: 'test' }), 'the storage'),
    publisher: { emit: () => new Promise<void>((resolve) => (deliver = resolve)).then(() => steps.push('told')) },
    objects: {
      localFile: () => {
        steps.push('opened');
        return Promise.reject(new Error('no such file'));
      },
    },
  } as unknown as WorkerContext;
  const job = { signal: new AbortController().signal } as JobRun<'ingest-version'>;
  const task = { versionId: 'version', content: null, objectKey: 'key' } as ReadTask;
  const read = readContent(ctx, job, task).catch((error: Error) => steps.push(error.message));
  for (let turn = 0; turn < 10; turn += 1) await setImmediate();
  deliver();
  await read;
  expect(steps).toEqual(['opened', 'told', 'no such file']);
});
