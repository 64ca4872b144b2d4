import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { guard } from '../../../shared/local/server-process.js';
import type { Answer, Question } from './messages.js';

/** A process of a bench: one of the product's entries, or a helper of the bench. */
export type BenchProcess = {
  name: string;
  pid: number;
  /** Of the line that said that it was ready. */
  ready: Record<string, unknown>;
  /** Processor time used so far, in milliseconds. */
  cpuMs(): Promise<number>;
  /** @throws what the process throws, or when it ends instead of answering. */
  ask<T>(question: string, data?: unknown): Promise<T>;
  running(): boolean;
  /** Sends a signal and resolves when the process has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
};

export type ProcessCommand = {
  name: string;
  /** Below `dist/`. */
  entry: string;
  args?: string[];
  env?: Record<string, string>;
  /** Which line on its output, all JSON, says that it is ready. */
  ready: (line: Record<string, unknown>) => boolean;
  /** Receives what goes wrong in it. */
  say: (line: string) => void;
  /** Options for Node itself. */
  flags: readonly string[];
};

const readyLimitMs = 60_000;
const endLimitMs = 25_000;

/** The same number as in the logs of the product: errors and worse are shown. */
const errorLevel = 50;

const built = (path: string): URL => new URL(`../../../${path}`, import.meta.url);

/** Starts a process and waits until it is ready. @throws when it ends instead, with what it wrote last. */
export async function startProcess(command: ProcessCommand): Promise<BenchProcess> {
  const child = fork(fileURLToPath(built(command.entry)), command.args ?? [], {
    env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production', ...command.env },
    execArgv: [...command.flags, '--import', built('test/bench/stage/probe.js').href],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
    // Ctrl-C reaches the bench alone, which then ends its processes.
    detached: true,
  });
  const release = guard(child, 'SIGKILL');
  child.once('exit', release);
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  try {
    const ready = await untilReady(child, command);
    const ask = questionsTo(child, command.name);
    return {
      name: command.name,
      pid: child.pid ?? 0,
      ready,
      ask,
      running,
      cpuMs: () => ask<number>('cpu'),
      end: (signal) => end(child, running, signal),
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

function untilReady(child: ChildProcess, command: ProcessCommand): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const last: string[] = [];
    const fail = (what: string): void => reject(new Error(`${command.name} ${what}:\n  ${last.join('\n  ')}`));
    const timer = setTimeout(() => fail('did not become ready'), readyLimitMs);
    const hear = (text: string): void => {
      if (last.push(text) > 20) last.shift();
      const line = parse(text);
      if (!line || Number(line.level) >= errorLevel) command.say(`${command.name}: ${line ? messageOf(line) : text}`);
      if (!line || !command.ready(line)) return;
      clearTimeout(timer);
      resolve(line);
    };
    for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream }).on('line', hear);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      fail(`ended (${signal ?? `exit code ${code}`})`);
    });
  });
}

function parse(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
}

/** What went wrong in a few words; the stack is in the line. */
function messageOf({ msg, err }: Record<string, unknown>): string {
  const reason = (err as { message?: string } | undefined)?.message;
  return reason ? `${msg as string}: ${reason}` : String(msg);
}

function questionsTo(child: ChildProcess, name: string): BenchProcess['ask'] {
  const open = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let last = 0;
  child.on('message', (answer: Answer) => {
    const question = open.get(answer.id);
    open.delete(answer.id);
    if (answer.error !== undefined) question?.reject(new Error(`${name}: ${answer.error}`));
    else question?.resolve(answer.value as never);
  });
  child.once('exit', () => {
    for (const { reject } of open.values()) reject(new Error(`${name} ended before it answered`));
    open.clear();
  });
  return (ask, data) =>
    new Promise((resolve, reject) => {
      last += 1;
      open.set(last, { resolve, reject });
      child.send({ id: last, ask, data } satisfies Question, (error) => error && reject(error));
    });
}

async function end(child: ChildProcess, running: () => boolean, signal: NodeJS.Signals): Promise<void> {
  if (!running()) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  const limit = setTimeout(() => child.kill('SIGKILL'), endLimitMs);
  await exited;
  clearTimeout(limit);
}
