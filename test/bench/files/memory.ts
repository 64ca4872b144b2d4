import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { wait } from '../clock.js';

/** The most resident memory that each kind of process was seen with, in bytes. */
export type Peaks = { web: number; worker: number; parser: number };

const everyMs = 20;
const proc = existsSync('/proc/self/statm');

/** Looks at the processes, and at those that the worker starts for its files, until it is told to stop. */
export function watchMemory(pids: { web: number; worker: number }): { peaks: Peaks; stop(): Promise<void> } {
  const peaks: Peaks = { web: 0, worker: 0, parser: 0 };
  let stopped = false;
  const note = (name: keyof Peaks, bytes: number): void => void (peaks[name] = Math.max(peaks[name], bytes));
  async function look(): Promise<void> {
    while (!stopped) {
      note('web', await residentBytes(pids.web));
      note('worker', await residentBytes(pids.worker));
      for (const pid of await childrenOf(pids.worker)) note('parser', await residentBytes(pid));
      await wait(everyMs);
    }
  }
  const looking = look();
  return {
    peaks,
    async stop() {
      stopped = true;
      await looking;
    },
  };
}

/** Resident memory of a process; 0 when it is gone. */
export async function residentBytes(pid: number): Promise<number> {
  if (!proc) return Number(await ps(['-o', 'rss=', '-p', String(pid)])) * 1024;
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

async function childrenOf(pid: number): Promise<number[]> {
  if (proc) {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    return children.split(' ').filter(Boolean).map(Number);
  }
  const lines = (await ps(['-A', '-o', 'pid=,ppid='])).split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return lines.flatMap(([child, parent]) => (child && parent === pid ? [child] : []));
}

async function ps(args: string[]): Promise<string> {
  return promisify(execFile)('ps', args).then(
    ({ stdout }) => stdout,
    () => '',
  );
}
