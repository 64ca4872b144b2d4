import { rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * Runs in a thread of the child process, because a parser that loops blocks every timer of its own thread. Ends
 * the process when it holds too much memory or has computed for too long, and when the process that started it is
 * gone. Polling from inside works on every system, and does not wait for the parent's event loop.
 */
const { memoryBytes, parentPid, scratch } = workerData as { memoryBytes: number; parentPid: number; scratch: string };

/** What the main thread says: a file is begun, with its limits; reading it gets on; it has ended. */
export type Told = { processorMs: number; fruitlessMs: number } | 'advanced' | 'ended';

const pollMs = 15;

let limits: Exclude<Told, string> | undefined;
let begunAt = 0;
let advancedAt = 0;

/** Of all threads, in milliseconds. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

parentPort?.on('message', (told: Told) => {
  advancedAt = processorMs();
  if (told === 'advanced') return;
  limits = told === 'ended' ? undefined : told;
  begunAt = advancedAt;
});

setInterval(() => {
  // Without a listener each of these ends the process at once; which one it was tells the parent why.
  if (process.memoryUsage.rss() > memoryBytes) process.kill(process.pid, 'SIGUSR2');
  if (process.ppid !== parentPid) {
    // Nobody else is left who knows where they are: what came with a mail is not to stay there.
    rmSync(scratch, { recursive: true, force: true });
    process.kill(process.pid, 'SIGKILL');
  }
  if (!limits) return;
  const now = processorMs();
  if (now - begunAt > limits.processorMs || now - advancedAt > limits.fruitlessMs) process.kill(process.pid, 'SIGXCPU');
}, pollMs);
