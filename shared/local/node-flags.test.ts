import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { nodeFlags, webEnvironment } from './node-flags.js';

const lineOf = async (file: string, start: string): Promise<string> => {
  const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
  return text.split('\n').find((line) => line.startsWith(start)) ?? '';
};

test('production starts its processes as they are measured', async () => {
  const web = ['node', ...nodeFlags.web, 'dist/api/main.js'];
  const environment = `MALLOC_ARENA_MAX=${webEnvironment.MALLOC_ARENA_MAX}`;
  expect(await lineOf('Procfile', 'web:')).toBe(`web: ${environment} ${web.join(' ')}`);
  expect(await lineOf('Dockerfile', 'ENV NODE_ENV')).toBe(`ENV NODE_ENV=production ${environment}`);
  expect(await lineOf('Dockerfile', 'CMD')).toBe(`CMD [${web.map((part) => `"${part}"`).join(', ')}]`);
  const worker = ['node', ...nodeFlags.worker, 'dist/workers/main.js'];
  expect(await lineOf('Procfile', 'worker:')).toBe(`worker: ${worker.join(' ')}`);
});
