import path from 'node:path';
import { migrate } from '../../prisma/migrate.js';
import { loadConfig } from '../config.js';
import { type ChildCommand, keepRunning, type KeptChild } from './children.js';
import { type Environment, readEnvironment } from './environment.js';
import { LockedError, takeLock } from './lock.js';
import { nodeFlags, webEnvironment } from './node-flags.js';
import { isFree, nextFree } from './ports.js';
import type { LineLog } from './server-process.js';
import { startStandIns } from './stand-ins.js';

type SupervisorOptions = {
  /** The project's folder: `.env` is read there, and `.millrace/` holds the data. */
  root: string;
  env: NodeJS.ProcessEnv;
  /** Entries of the processes: built files. */
  entries: { web: string; worker: string };
  /** How many of each. Further web processes listen on the ports after the first one's. */
  count: { web: number; worker: number };
  say: LineLog;
  output?: LineLog | undefined;
  /** Told when Millrace cannot go on: it should be stopped then. */
  onFailure: (message: string) => void;
  /** Ends a start that is under way. */
  signal?: AbortSignal;
};

/** A running Millrace. */
export type Supervisor = { url: string; summary: string[]; stop: () => Promise<void> };

/** A process that is told to stop may take this long, in milliseconds; its own limit is shorter. */
const stopLimitMs = 25_000;
const readyLimitMs = 60_000;

/**
 * Starts everything: what the environment does not name, the migrations, the web and worker processes; and waits
 * until the first web process is ready.
 *
 * @throws {Error} with a message for the user when something does not start; nothing is left running then.
 */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const folder = path.join(options.root, '.millrace');
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  };
  let failed: string | undefined;
  const onFailure = (message: string): void => {
    failed ??= message;
    options.onFailure(message);
  };

  try {
    undo.push(await lock(folder));
    const given = await readEnvironment(options.root, options.env);
    // Every mistake of what is given, before anything is started.
    loadConfig({ ...standInsWillGive(given), ...given });
    const ports = await choosePorts(given, options);
    const standIns = await startStandIns({ env: given, folder, say: options.say, onLost: onFailure });
    undo.push(standIns.stop);
    loadConfig(standIns.env);
    options.signal?.throwIfAborted();
    const applied = await migrate(standIns.env.DATABASE_URL ?? '');
    if (applied.length > 0) options.say(`Migrations applied: ${applied.join(', ')}`);

    const children = commands(options, standIns.env, ports).map((command) =>
      keepRunning(command, { say: options.say, output: options.output, onGivenUp: onFailure }),
    );
    undo.push(() => stopAll(children));
    const url = `http://${hostInUrl(given.HOST)}:${ports[0]}`;
    await untilReady(url, () => failed ?? (options.signal?.aborted ? 'Stopped.' : undefined));
    return { url, summary: [...standIns.summary, `Data        ${folder}`], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Stands for what is not given and has to be, while the rest is looked at. */
const standInsWillGive = (given: Environment): Environment => ({
  DATABASE_URL: 'postgresql://127.0.0.1/millrace',
  REDIS_URL: 'redis://127.0.0.1',
  // Whoever names an API is asked for its key.
  ...(given.ANTHROPIC_BASE_URL ? {} : { ANTHROPIC_API_KEY: 'stand-in' }),
  JWT_SECRET: 'a secret that is made when there is none',
});

async function lock(folder: string): Promise<() => Promise<void>> {
  return takeLock(path.join(folder, 'lock')).catch((error: unknown) => {
    if (!(error instanceof LockedError)) throw error;
    throw new Error(`Millrace is already running in this folder (process ${error.pid}). Stop it first.`);
  });
}

/**
 * Unless HOST is set: whoever registers first is the admin, so a machine that is tried out on a shared network
 * must not offer that to everybody.
 */
const loopback = '127.0.0.1';

async function choosePorts(env: Environment, { count, say }: SupervisorOptions): Promise<number[]> {
  const host = env.HOST ?? loopback;
  const wanted = Number(env.PORT ?? 3000);
  if (env.PORT && wanted > 0 && !(await isFree(wanted, host))) {
    throw new Error(`Port ${wanted} is taken by another program. Set PORT to a free one.`);
  }
  const ports: number[] = [];
  for (let from = wanted || 3000; ports.length < count.web; from = (ports.at(-1) ?? 0) + 1) {
    ports.push(await nextFree(from, host));
  }
  if (!env.PORT && ports[0] !== wanted) say(`Port ${wanted} is taken by another program; using ${ports[0]}.`);
  return ports;
}

function commands({ entries, count }: SupervisorOptions, env: Environment, ports: number[]): ChildCommand[] {
  const nameOf = (kind: 'web' | 'worker', index: number): string => (count[kind] > 1 ? `${kind} ${index + 1}` : kind);
  const common = { NODE_ENV: 'production', HOST: loopback, ...env };
  return [
    ...ports.map((port, index) => ({
      name: nameOf('web', index),
      entry: entries.web,
      flags: nodeFlags.web,
      env: { ...webEnvironment, ...common, PORT: String(port) },
    })),
    ...Array.from({ length: count.worker }, (_, index) => ({
      name: nameOf('worker', index),
      entry: entries.worker,
      flags: nodeFlags.worker,
      env: common,
    })),
  ];
}

async function stopAll(children: KeptChild[]): Promise<void> {
  await Promise.all(children.map((child) => child.stop(stopLimitMs)));
}

async function untilReady(url: string, failure: () => string | undefined): Promise<void> {
  let last = 'no answer';
  for (const deadline = Date.now() + readyLimitMs; Date.now() < deadline;) {
    const failed = failure();
    if (failed) throw new Error(failed);
    try {
      const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
      last = `${response.status} ${(await response.text()).slice(0, 1_000)}`;
      if (response.ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Millrace did not become ready within ${readyLimitMs / 1_000} s. ${url}/readyz says: ${last}`);
}

function hostInUrl(host: string | undefined): string {
  if (!host || host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
