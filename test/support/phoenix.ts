import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const entries = { web: 'dist/api/main.js', worker: 'dist/workers/main.js' };

/** A process of Millrace that is started again whenever it ends, as a supervisor does. */
export type Phoenix = {
  kill(): void;
  /** How often it was started. */
  starts(): number;
  close(): Promise<void>;
};

/** Starts a process as the last build left it (`npm test` builds first). A web process keeps its port. */
export function startPhoenix(role: keyof typeof entries, env: Record<string, string>): Phoenix {
  if (!existsSync(path.join(root, entries[role]))) throw new Error('There is no build: npm run build makes it.');
  let closed = false;
  let starts = 0;
  let child: ChildProcess;

  function start(): void {
    starts += 1;
    child = spawn(process.execPath, [entries[role]], { cwd: root, env, stdio: 'ignore' });
    child.once('exit', () => {
      if (!closed) start();
    });
  }
  start();
  return {
    kill: () => void child.kill('SIGKILL'),
    starts: () => starts,
    async close() {
      closed = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
