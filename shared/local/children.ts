import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Environment } from './environment.js';
import { guard, type LineLog } from './server-process.js';

/** A process of Millrace: its name in messages, its entry, and what Node is told before it. */
export type ChildCommand = { name: string; entry: string; flags: readonly string[]; env: Environment };

type Options = {
  say: LineLog;
  /** Receives what the process writes; without it the output goes straight through. */
  output?: LineLog | undefined;
  /** Told when a process crashes again and again. */
  onGivenUp: (message: string) => void;
};

/** A process that is kept running. */
export type KeptChild = {
  pid(): number | undefined;
  /** SIGTERM, and SIGKILL after `limitMs`. */
  stop(limitMs: number): Promise<void>;
};

/** After this time a crash counts as the first again. */
const healthyMs = 30_000;
/** How often a process may crash in a row: one that has never run well is soon given up. */
const maxCrashes = { atFirst: 3, later: 8 };

/** Starts a process and starts it again when it ends by itself, later each time, until it has crashed too often. */
export function keepRunning(command: ChildCommand, options: Options): KeptChild {
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopping = false;
  let crashes = 0;
  let provenWell = false;

  function start(): void {
    const startedAt = Date.now();
    const started = spawn(process.execPath, [...command.flags, command.entry], {
      env: { ...command.env },
      stdio: ['ignore', options.output ? 'pipe' : 'inherit', options.output ? 'pipe' : 'inherit'],
      // Ctrl-C reaches the supervisor alone, which then stops its processes in order.
      detached: true,
    });
    child = started;
    for (const stream of [started.stdout, started.stderr]) {
      if (stream && options.output) createInterface({ input: stream }).on('line', options.output);
    }
    const release = started.pid === undefined ? undefined : guard(started, 'SIGKILL');
    started.once('error', (error) => options.say(`${command.name}: ${error.message}`));
    started.once('exit', (code, signal) => {
      release?.();
      if (stopping) return;
      const ranWell = Date.now() - startedAt > healthyMs;
      provenWell ||= ranWell;
      crashes = ranWell ? 1 : crashes + 1;
      const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
      if (crashes > (provenWell ? maxCrashes.later : maxCrashes.atFirst)) {
        options.onGivenUp(`The ${command.name} process ${how}, ${crashes} times in a row: see the lines above.`);
        return;
      }
      const waitMs = Math.min(8_000, 250 * 2 ** crashes);
      options.say(`The ${command.name} process ${how}; starting it again in ${waitMs / 1_000} s.`);
      timer = setTimeout(start, waitMs);
    });
  }

  start();
  return {
    pid: () => child?.pid,
    async stop(limitMs) {
      stopping = true;
      clearTimeout(timer);
      if (!child || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      const limit = setTimeout(() => {
        options.say(`The ${command.name} process does not end; killing it.`);
        child?.kill('SIGKILL');
      }, limitMs);
      await exited;
      clearTimeout(limit);
    },
  };
}
