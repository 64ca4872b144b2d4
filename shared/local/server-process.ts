import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** Receives the lines that a server writes. */
export type LineLog = (line: string) => void;

/** A server that runs beside this process and ends, at the latest, with it. */
export type ServerProcess = {
  pid: number;
  running(): boolean;
  /** Sends `signal` and waits for the end; after `limitMs` it is killed. */
  stop(signal: NodeJS.Signals, limitMs?: number): Promise<void>;
};

type ServerCommand = {
  name: string;
  command: string;
  args: string[];
  /** Variables beside those of this process. */
  env?: Record<string, string>;
  cwd: string;
  /** The line that says that the server accepts connections. */
  ready: RegExp;
  /** What a guard sends when this process is gone. */
  signalOnOrphan: NodeJS.Signals;
  log: LineLog | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
  /** Called when the server ends though nobody stopped it. */
  onCrash?: (() => void) | undefined;
  /** How long it may take until it is ready, in milliseconds. */
  limitMs?: number;
};

/**
 * Starts a server and waits until it says that it is ready.
 *
 * @throws {Error} with the last lines it wrote, when it ends or takes too long instead.
 */
export async function startServerProcess(server: ServerCommand): Promise<ServerProcess> {
  const child = spawn(server.command, server.args, {
    cwd: server.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C is for the one who started it, who then stops it in order.
    detached: true,
    env: { ...process.env, LC_ALL: 'C', ...server.env },
    ...(server.uid === undefined ? {} : { uid: server.uid, gid: server.gid }),
  });
  await Promise.race([once(child, 'spawn'), once(child, 'error').then(([error]) => Promise.reject(error as Error))]);
  const exited = once(child, 'exit');
  const release = guard(child, server.signalOnOrphan);
  void exited.then(release);
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  let expected = true;
  const stop = async (signal: NodeJS.Signals, limitMs = 30_000): Promise<void> => {
    expected = true;
    if (!running()) return;
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    await exited;
    clearTimeout(timer);
  };

  try {
    await waitUntilReady(child, server);
  } catch (error) {
    await stop('SIGKILL');
    throw error;
  }
  expected = false;
  void exited.then(() => expected || server.onCrash?.());
  return { pid: child.pid as number, running, stop };
}

function waitUntilReady(child: ChildProcess, server: ServerCommand): Promise<void> {
  return new Promise((resolve, reject) => {
    const last: string[] = [];
    const fail = (what: string): void => {
      clearTimeout(timer);
      reject(new Error(`${server.name} ${what}${last.length > 0 ? `:\n  ${last.join('\n  ')}` : '.'}`));
    };
    const timer = setTimeout(() => fail('did not become ready in time'), server.limitMs ?? 60_000);
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        server.log?.(line);
        if (last.push(line) > 12) last.shift();
        if (!server.ready.test(line)) return;
        clearTimeout(timer);
        resolve();
      });
    }
    // 'close' comes after the last line, 'exit' may come before it.
    child.once('close', (code, signal) => fail(`ended at its start (${signal ?? `exit code ${code}`})`));
  });
}

/**
 * Has a shell wait at a pipe that only this process holds open. However this process ends, kill -9 included,
 * the pipe closes, and the shell then sends `signal` to the child. Returns what sends the shell away.
 */
export function guard(child: ChildProcess, signal: NodeJS.Signals): () => void {
  const script = `read -r _ || kill -${signal.slice(3)} "$0"`;
  const shell = spawn('/bin/sh', ['-c', script, String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    detached: true,
  });
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  shell.unref();
  (shell.stdin as unknown as { unref?: () => void }).unref?.();
  return () => void shell.stdin.end('\n');
}

/** A free TCP port on loopback: `preferred` if it is free, else any. */
export async function freePort(preferred = 0): Promise<number> {
  const server = createServer();
  const listening = new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(preferred, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
  return preferred === 0 ? listening : listening.catch(() => freePort());
}
