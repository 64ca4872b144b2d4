import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { testEnvironment } from './app.js';
import type { TestSystem } from './system.js';
import { eventually } from './eventually.js';

const root = path.resolve(import.meta.dirname, '../..');
const entry = 'dist/workers/main.js';

/** A worker in a process of its own, for tests that stop or kill one. */
export type WorkerProcess = {
  signal(name: NodeJS.Signals): void;
  /** Resolves when it has written a line that contains `text` so often. */
  said(text: string, times?: number): Promise<void>;
  /** Ends it, however it is, and waits for that. */
  kill(): Promise<void>;
};

/**
 * Starts `workers/main.ts` as the last build left it (`npm test` builds first), on the stores of the system.
 *
 * @param env settings beyond those.
 */
export async function startWorkerProcess(system: TestSystem, env: Record<string, string> = {}): Promise<WorkerProcess> {
  if (!existsSync(path.join(root, entry))) throw new Error('There is no build: npm run build makes it.');
  const stores = { databaseUrl: system.databaseUrl, redisUrl: system.redisUrl };
  const child = spawn(process.execPath, [entry], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...testEnvironment(stores),
      ANTHROPIC_BASE_URL: system.modelApi.url,
      METRICS_PORT: '0',
      LOG_LEVEL: 'info',
      ...env,
    },
  });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const said = (text: string, times = 1): Promise<void> =>
    eventually(
      () => {
        const found = lines.filter((line) => line.includes(text)).length;
        if (found < times)
          throw new Error(`the worker said "${text}" ${found} times; its last words: ${lines.slice(-5).join('\n')}`);
      },
      { timeout: 30_000, interval: 10 },
    );
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  await said('"working"').catch(async (error: unknown) => {
    await kill();
    throw error;
  });
  return { signal: (name) => void child.kill(name), said, kill };
}
