import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readEnvironment } from './environment.js';
import { startStandIns } from './stand-ins.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'millrace-stand-ins-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('what .env forbids is not installed', async () => {
  // A package manager that could be used without a question.
  for (const tool of ['sudo', 'apk']) await writeFile(path.join(folder, tool), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(path.join(folder, '.env'), 'DATABASE_URL=postgresql://localhost/millrace\nMILLRACE_INSTALL=no\n');
  const env = await readEnvironment(folder, { PATH: folder });
  const said: string[] = [];
  const starting = startStandIns({ env, folder, say: (line) => said.push(line), onLost: () => {} });
  await expect(starting).rejects.toThrow(/^Redis is missing: install it \(redis\), or set REDIS_URL\.$/);
  expect(said).toEqual([]);
});
