/**
 * Entry of `npm run bench -- <name> [--json] [--profiles <folder>]`: runs a bench on stores and processes of its own,
 * prints its figures and a last line with its targets, and exits 1 when one is missed.
 */
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { helpIfAsked } from '../../shared/help.js';
import { accept } from './accept/bench.js';
import type { Bench } from './bench.js';
import { documents } from './documents/bench.js';
import { fairness } from './fairness/bench.js';
import { files } from './files/bench.js';
import { ingest } from './ingest/bench.js';
import { isMet, toJson, toText } from './report.js';
import { retrieval } from './retrieval/bench.js';
import { search } from './search/bench.js';
import { startStage } from './stage/stage.js';
import { stream } from './stream/bench.js';
import { takeover } from './takeover/bench.js';

const benches: Record<string, Bench> = {
  accept,
  stream,
  takeover,
  fairness,
  documents,
  retrieval,
  ingest,
  search,
  files,
};

helpIfAsked(usageText());
const { values, positionals } = commandLine();
const name = positionals[0] ?? '';
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
if (!bench || positionals.length > 1) usage();
if (bench.needsData && values.data === undefined)
  usage(`Say where the data is: npm run bench -- ${name} --data FOLDER`);

function commandLine() {
  const options = {
    json: { type: 'boolean' },
    profiles: { type: 'string' },
    trace: { type: 'string' },
    data: { type: 'string' },
    files: { type: 'boolean' },
    replies: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    return usage((error as Error).message);
  }
}

function usageText(): string {
  const list = Object.entries(benches).map(([each, { about }]) => `  ${each.padEnd(10)} ${about}`);
  return ['Usage: npm run bench -- <name> [--json] [--profiles FOLDER]', '', ...list].join('\n');
}

function usage(mistake?: string): never {
  console.error(mistake === undefined ? usageText() : `${mistake}\n${usageText()}`);
  process.exit(2);
}

const startedAt = Date.now();
// What goes on is for people who watch; the figures alone are the output.
const say = (line: string): void => console.error(`  [${((Date.now() - startedAt) / 1000).toFixed(1)} s] ${line}`);
const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');

let close = (): Promise<void> => Promise.resolve();
let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // At once, the second time: the guards of all processes end them when this one is gone.
    if (stopped) process.exit(130);
    stopped = true;
    void close().finally(() => process.exit(130));
  });
}

try {
  say(`${availableParallelism()} cores, Node ${process.version}, load average ${load()}; Postgres and Redis durable`);
  const stage = await startStage({ say, profiles: values.profiles }, (stop) => (close = stop));
  const result = await bench.run(stage, values);
  say(`load average ${load()}`);
  await close();
  console.log(values.json ? toJson(name, result) : toText(name, result));
  process.exit(result.targets.every(isMet) ? 0 : 1);
} catch (error) {
  if (!stopped) console.error(error);
  await close();
  process.exit(stopped ? 130 : 1);
}
