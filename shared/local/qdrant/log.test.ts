import { appendFile, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LogRecord, openLog } from './log.js';

let dir = '';
let file = '';
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'millrace-log-'));
  file = path.join(dir, 'points.log');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const record = (n: number): LogRecord => ({ header: { n, text: 'ä'.repeat(n) }, floats: Float32Array.of(n, n / 3) });

async function readBack(): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  await (await openLog(file, (one) => records.push(one))).close();
  return records;
}

test('what was appended is read back, in order', async () => {
  const log = await openLog(file, () => {});
  await Promise.all([log.append([record(1), record(2)]), log.append([record(3)])]);
  await log.close();
  expect(await readBack()).toEqual([record(1), record(2), record(3)]);
});

test('a record that was cut off, wherever, is taken away; what is appended next is read back', async () => {
  const log = await openLog(file, () => {});
  await log.append([record(1), record(2)]);
  await log.close();
  const whole = await readFile(file);
  for (const cut of [1, 5, 9, 20]) {
    await writeFile(file, whole.subarray(0, whole.length - cut));
    expect(await readBack()).toEqual([record(1)]);
  }
  const again = await openLog(file, () => {});
  await again.append([record(4)]);
  await again.close();
  expect(await readBack()).toEqual([record(1), record(4)]);
});

test('a record that was damaged ends the log', async () => {
  const log = await openLog(file, () => {});
  await log.append([record(1), record(2)]);
  await log.close();
  const handle = await open(file, 'r+');
  await handle.write(Buffer.from('!'), 0, 1, (await handle.stat()).size - 3);
  await handle.close();
  await appendFile(file, 'rubbish');
  expect(await readBack()).toEqual([record(1)]);
});

test('a rewritten log has what was given, and what came meanwhile', async () => {
  const log = await openLog(file, () => {});
  await log.append([record(1), record(2), record(3)]);
  const rewritten = log.rewrite(() => [record(3)]);
  const appended = log.append([record(4)]);
  await Promise.all([rewritten, appended]);
  await log.append([record(5)]);
  const { size } = log;
  await log.close();
  expect(await readBack()).toEqual([record(3), record(4), record(5)]);
  expect((await readFile(file)).length).toBe(size);
});
