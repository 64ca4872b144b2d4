import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

it.each([
  'api/main.js',
  'workers/main.js',
  'workers/reindex.js',
  'prisma/migrate.js',
  'shared/local/main.js',
  'shared/local/reindex.js',
  'test/bench/main.js',
])('%s --help says how it is started, and does nothing else', async (entry) => {
  // Without a setting: whatever it began would fail.
  const { stdout, stderr } = await run(process.execPath, [path.join('dist', entry), '--help'], { cwd: root, env: {} });
  expect([stdout, stderr]).toEqual([expect.stringMatching(/^Usage: /), '']);
});
