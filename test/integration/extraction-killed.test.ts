import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createExtractor } from '../../shared/knowledge/extraction/extract.js';
import { eventually } from '../support/eventually.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'millrace-killed-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const entry = path.resolve('dist/shared/knowledge/extraction/child.js');

/** The processes of this one that read files. */
function readers(): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return table.split('\n').flatMap((line) => {
    const [, pid = '', parent = '', args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(parent) === process.pid && args.includes(entry) ? [Number(pid)] : [];
  });
}

it('a reader that the system has killed says nothing of its file, which is read again', async () => {
  const extractor = createExtractor();
  const file = path.join(folder, 'long.txt');
  await writeFile(file, 'Many words of a long text.\n\n'.repeat(400_000));
  const parts = extractor.extract({ path: file, name: 'long.txt' });
  await parts.next();
  for (const pid of readers()) process.kill(pid, 'SIGKILL');
  const rest = async (): Promise<void> => {
    for await (const _ of parts);
  };
  await expect(rest()).rejects.toMatchObject({ code: 'reader_killed', transient: true });
  let chars = 0;
  for await (const { text } of extractor.extract({ path: file, name: 'long.txt' })) chars += text.length;
  expect(chars).toBeGreaterThan(10_000_000);
  extractor.close();
});

it('what came with a mail does not stay on the disk when the worker is killed that has it read', async () => {
  const scratch = path.join(folder, 'scratch');
  await mkdir(scratch);
  await writeFile(path.join(scratch, 'attachment'), 'private');
  const worker = spawn(process.execPath, [
    '-e',
    `require('node:child_process').spawn(process.execPath, ${JSON.stringify([entry, '500000000', scratch])},
       { stdio: ['pipe', 'ignore', 'ignore', 'pipe'] }).once('spawn', () => console.log('started'));
     setInterval(() => {}, 1000);`,
  ]);
  await once(worker.stdout, 'data');
  worker.kill('SIGKILL');
  await eventually(() => expect(existsSync(scratch)).toBe(false));
});

it('a reader has a successor beside it before it is replaced, so that no file waits until one is loaded', async () => {
  const extractor = createExtractor();
  const file = path.join(folder, 'short.txt');
  await writeFile(file, 'A few words.');
  const read = async (times: number): Promise<void> => {
    for (let n = 0; n < times; n += 1) for await (const _ of extractor.extract({ path: file, name: 'short.txt' }));
  };
  const others = readers();
  const own = (): number[] => readers().filter((pid) => !others.includes(pid));
  await read(1);
  const [first] = own();
  await read(159);
  const successor = own().filter((pid) => pid !== first);
  expect([own().length, successor.length]).toEqual([2, 1]);
  await read(41);
  await eventually(() => expect(own()).toEqual(successor));
  extractor.close();
});
