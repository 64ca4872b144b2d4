import { workerData } from 'node:worker_threads';

/**
 * Runs in a thread of the child process, because a parser that loops blocks every timer of its own thread. Ends
 * the process when it holds too much memory, and when the process that started it is gone. Polling from inside
 * works on every system, and does not wait for the parent's event loop.
 */
const { memoryBytes, parentPid } = workerData as { memoryBytes: number; parentPid: number };

const pollMs = 15;

setInterval(() => {
  // Without a listener each of the two ends the process at once; which one it was tells the parent why.
  if (process.memoryUsage.rss() > memoryBytes) process.kill(process.pid, 'SIGUSR2');
  if (process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL');
}, pollMs);
