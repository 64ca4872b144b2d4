/** Entry of `npm start`: runs Millrace with everything it needs on this machine, until Ctrl-C. */
import path from 'node:path';
import { helpIfAsked } from '../help.js';
import { type ProcessCounts, readProcessCounts } from './process-counts.js';
import { projectRoot } from './project-root.js';
import { readable } from './readable-log.js';
import { startSupervisor } from './supervisor.js';

helpIfAsked(`Usage: npm start -- [--web <processes>] [--workers <processes>]

  --web       web processes, each on a port of its own from PORT on (1)
  --workers   worker processes (1)`);
const count = readCommandLine();
const root = projectRoot();
const say = (line: string): void => console.log(line);

let stopping = false;
const starting = new AbortController();

async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  // One that is still starting stops what it has started, and fails.
  starting.abort();
  await supervisor.then((running) => running.stop()).catch(() => {});
  process.exit(code);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // At once: the guards of all processes end them when this one is gone.
    if (stopping) process.exit(130);
    say('Stopping … (again to stop at once)');
    void stop(0);
  });
}

// npm ends without a word to this process when it is told to: its shell, our parent, is gone then.
const parent = process.ppid;
if (process.env.npm_lifecycle_event) {
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    void stop(0);
  }, 250);
  watch.unref();
}

const supervisor = startSupervisor({
  root,
  env: process.env,
  entries: { web: path.join(root, 'dist/api/main.js'), worker: path.join(root, 'dist/workers/main.js') },
  count,
  say,
  // At a terminal people read the log; elsewhere programs do.
  output: process.stdout.isTTY ? (line) => say(readable(line)) : undefined,
  onFailure: (message) => {
    console.error(message);
    void stop(1);
  },
  signal: starting.signal,
});

try {
  const { url, summary } = await supervisor;
  if (!stopping) say(banner(url, summary));
} catch (error) {
  if (!stopping) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

function readCommandLine(): ProcessCounts {
  try {
    return readProcessCounts(process.argv.slice(2));
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}

function banner(url: string, summary: string[]): string {
  const lines = [
    `Millrace is ready at ${url}`,
    '',
    `API         ${url}/api/docs`,
    `Queues      ${url}/admin/queues (for admins; the first account is one)`,
    ...summary,
    '',
    'Ctrl-C stops everything.',
  ];
  return `\n${lines.map((line) => (line ? `  ${line}` : '')).join('\n')}\n`;
}
