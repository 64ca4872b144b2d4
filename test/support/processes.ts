import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { startMessagesApi } from '../../shared/local/messages-api/server.js';
import { testEnvironment } from './app.js';
import { ownRedis, testDatabase } from './stack.js';

const root = path.resolve(import.meta.dirname, '../..');
const entries = { web: 'dist/api/main.js', worker: 'dist/workers/main.js' };

/** One process of Millrace, as the last build left it. */
export type RunningProcess = {
  /** Where a web process listens. */
  url: string;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code, null after a signal. */
  exited: Promise<number | null>;
};

/** Web and worker processes on stores of their own, with a stand-in for Claude. */
export type RunningSystem = {
  startWeb(): Promise<RunningProcess>;
  startWorker(): Promise<RunningProcess>;
  close(): Promise<void>;
};

export async function startProcesses(): Promise<RunningSystem> {
  const [modelApi, database, redis] = await Promise.all([startMessagesApi(), testDatabase(), ownRedis()]);
  const env = {
    ...testEnvironment({ databaseUrl: database.url, redisUrl: redis.url }),
    ANTHROPIC_BASE_URL: modelApi.url,
    HOST: '127.0.0.1',
    PORT: '0',
    METRICS_PORT: '0',
    LOG_LEVEL: 'info',
  };
  const children = new Set<ChildProcess>();

  async function start(role: keyof typeof entries, ready: string): Promise<RunningProcess> {
    if (!existsSync(path.join(root, entries[role]))) throw new Error('There is no build: npm run build makes it.');
    const child = spawn(process.execPath, [entries[role]], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
    children.add(child);
    const exited = once(child, 'exit').then(([code]) => {
      children.delete(child);
      return code as number | null;
    });
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const { msg, url = '' } = JSON.parse(line) as { msg: string; url?: string };
        if (msg === ready) resolve(url);
      });
      void exited.then((code) => reject(new Error(`the ${role} process ended with ${code}`)));
    });
    return { url, signal: (name) => void child.kill(name), exited };
  }

  return {
    startWeb: () => start('web', 'listening'),
    startWorker: () => start('worker', 'working'),
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await Promise.all([...children].map((child) => once(child, 'exit')));
      await modelApi.stop();
      await redis.remove();
      await database.drop();
    },
  };
}
